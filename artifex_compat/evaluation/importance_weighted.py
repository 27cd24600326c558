"""The log-likelihood of data, by importance sampling from the posterior."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from artifex_compat.evaluation.densities import (
    Likelihood,
    per_example,
    standard_normal_log_density,
)
from artifex_compat.evaluation.score import Score, numbers
from edifice_py.checks import native, positive_int, same_shape
from edifice_py.core import gaussian


def importance_weighted_log_likelihood(
    x: Any,
    mean: Any,
    log_var: Any,
    log_likelihood: Likelihood,
    *,
    log_prior: Callable[[jax.Array], jax.Array] = standard_normal_log_density,
    samples: int = 5000,
    chunk_size: int = 50,
    seed: int = 0,
) -> Score:
    r"""\(\log \frac{1}{K} \sum_k \frac{p(x|z_k)\, p(z_k)}{q(z_k|x)}\), with \(z_k\) from q.

    A lower bound of log p(x) in expectation, tighter with every sample: K = 1 is the ELBO, and
    K = 5,000 what papers report as the log-likelihood. The sum is one of exponentials taken chunk
    by chunk around its largest term, so that memory grows with `chunk_size` alone and nothing
    overflows.

    Args:
        x: data, `[n, ...]`.
        mean: means of the posterior q, a diagonal Gaussian, `[n, latent]` or on a grid.
        log_var: logs of its variances, same shape.
        log_likelihood: log p(x|z), a function that JAX can trace, of `x` `[m, ...]` and `z`
            `[m, latent]` to nats `[m]`, constants included. A `jax.tree_util.Partial` carries
            parameters without compiling them in.
        log_prior: log p(z), of `z` `[m, latent]` to nats `[m]`; the standard normal where not
            given.
        samples: K.
        chunk_size: how many samples of every example are held at a time. It does not change the
            samples, which are named by `seed` and their number.
        seed: names the samples.

    Returns:
        The mean over the examples, in nats; details: `per_example` and `standard_error`, that of
        the mean over examples.

    Raises:
        TypeError: one of the arrays is no array of numbers.
        ValueError: their shapes do not fit, or a number is not positive.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), Importance Weighted Autoencoders, equation 8;
        Rezende, Mohamed and Wierstra (2014), appendix E.
    """
    mean, log_var = same_shape(mean=mean, log_var=log_var)
    if np.ndim(mean) < 2 or np.shape(x)[:1] != np.shape(mean)[:1] or 0 in np.shape(mean):
        raise ValueError(
            "x and mean must be [n, ...] and [n, latent] for the same n examples, "
            f"not {list(np.shape(x))} and {list(np.shape(mean))}."
        )
    options = {"samples": positive_int("samples", samples), "seed": seed}
    size = min(positive_int("chunk_size", chunk_size), samples)
    means = jnp.asarray(mean)
    means = means.astype(jnp.promote_types(means.dtype, jnp.float32))
    found = log_mean_weight(
        jnp.asarray(native(x)),
        means,
        jnp.asarray(log_var, means.dtype),
        jax.random.key(seed),
        _traced(log_likelihood),
        _traced(log_prior),
        samples=samples,
        chunk_size=size,
    )
    return log_likelihood_score(np.asarray(found), options, {"per_example": numbers(found)})


def log_likelihood_score(
    per_example: Any, options: dict[str, Any], details: dict[str, Any]
) -> Score:
    """The mean of log-likelihoods `[n]`, with the standard error that it has from the examples."""
    found = np.asarray(per_example, np.float64)
    error = float(found.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else None
    name = "importance_weighted_log_likelihood"
    return Score(name, float(found.mean()), options, {"standard_error": error, **details})


@partial(jax.jit, static_argnames=("samples", "chunk_size"))
def log_mean_weight(
    x: Any,
    mean: jax.Array,
    log_var: jax.Array,
    key: jax.Array,
    log_likelihood: Any,
    log_prior: Any,
    *,
    samples: int,
    chunk_size: int,
) -> jax.Array:
    """The estimate for each example, `[n]`, in nats; see `importance_weighted_log_likelihood`.

    The arguments are those, with `key` for the seed; `x` may be a tree of arrays `[n, ...]`, and
    the functions are of `jax.tree_util.Partial`.
    """
    count = mean.shape[0]

    def noise_of(number: jax.Array) -> jax.Array:
        return jax.random.normal(jax.random.fold_in(key, number), mean.shape, mean.dtype)

    def weights_of(numbers: jax.Array) -> jax.Array:
        """Log-weights of the samples of these numbers, `[chunk, n]`."""
        noise = jax.vmap(noise_of)(numbers).reshape(-1, *mean.shape[1:])
        means, log_vars, data = jax.tree.map(
            lambda array: _repeated(array, chunk_size), (mean, log_var, x)
        )
        z = gaussian.reparameterize(means, log_vars, noise)
        # The density of the sample by its noise: z - mean would lose the digits of small variances.
        posterior = standard_normal_log_density(noise) - 0.5 * per_example(log_vars)
        weights = log_likelihood(data, z) + log_prior(z) - posterior
        return jnp.where((numbers < samples)[:, None], weights.reshape(-1, count), -jnp.inf)

    def step(total: jax.Array, chunk: jax.Array) -> tuple[jax.Array, None]:
        weights = weights_of(chunk * chunk_size + jnp.arange(chunk_size))
        return jnp.logaddexp(total, jax.nn.logsumexp(weights, axis=0)), None

    chunks = jnp.arange(-(-samples // chunk_size))
    total, _ = jax.lax.scan(step, jnp.full(count, -jnp.inf, mean.dtype), chunks)
    return total - jnp.log(jnp.asarray(samples, mean.dtype))


def _repeated(array: jax.Array, times: int) -> jax.Array:
    """`[n, ...]` as `[times * n, ...]`."""
    return jnp.broadcast_to(array[None], (times, *array.shape)).reshape(-1, *array.shape[1:])


def _traced(function: Any) -> Partial:
    return function if isinstance(function, Partial) else Partial(function)
