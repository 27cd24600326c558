"""The evidence lower bound."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.divergence import kl_of_examples
from artifex_compat.evaluation.score import Score
from edifice_py.checks import array
from edifice_py.core import gaussian, objective


def elbo(log_likelihood: Array, mean: Array, log_var: Array) -> Score:
    r"""\(E_q[\log p(x|z)] - \mathrm{KL}(q \| p)\), mean over the examples.

    Args:
        log_likelihood: of each example given a sample of its posterior, `[n]`; or given several
            samples, `[samples, n]`; in nats, with its constants.
        mean: posterior means, `[n, latent]` or on a grid.
        log_var: logs of the posterior variances, same shape.

    Returns:
        The bound in nats an example; details: `log_likelihood` and `kl`, whose difference it is.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes do not fit.

    Reference:
        Kingma and Welling (2014), equation 3.

    Example:
        >>> float(elbo(np.array([-3.0, -5.0]), np.ones((2, 1)), np.zeros((2, 1))))
        -4.5
    """
    kl = kl_of_examples(mean, log_var).sum(axis=1)
    found = np.asarray(array("log_likelihood", log_likelihood)).astype(np.float64)
    if found.ndim not in (1, 2) or found.shape[-1] != len(kl) or not found.size:
        raise ValueError(
            f"log_likelihood must be [{len(kl)}] or [samples, {len(kl)}], a number for each "
            f"example, not {list(found.shape)}."
        )
    terms = {"log_likelihood": float(found.mean()), "kl": float(kl.mean())}
    bound = -objective.negative_elbo(
        jnp.asarray(-terms["log_likelihood"]), jnp.asarray(terms["kl"])
    )
    return Score("elbo", float(bound), {}, terms)


@partial(jax.jit, static_argnames="samples")
def mean_log_likelihood(
    x: Any,
    mean: jax.Array,
    log_var: jax.Array,
    key: jax.Array,
    log_likelihood: Any,
    *,
    samples: int,
) -> jax.Array:
    """The mean of log p(x|z) over samples of the posterior, `[n]`, in nats.

    Args:
        x: data, an array or a tree of arrays, `[n, ...]` each.
        mean: means of the posterior, `[n, latent]` or on a grid.
        log_var: logs of its variances, same shape.
        key: names the samples.
        log_likelihood: a `jax.tree_util.Partial` of `x` and `z` to nats `[n]`.
        samples: how many.
    """

    def step(total: jax.Array, number: jax.Array) -> tuple[jax.Array, None]:
        noise = jax.random.normal(jax.random.fold_in(key, number), mean.shape, mean.dtype)
        return total + log_likelihood(x, gaussian.reparameterize(mean, log_var, noise)), None

    start = jnp.zeros(mean.shape[0], mean.dtype)
    total, _ = jax.lax.scan(step, start, jnp.arange(samples))
    return total / samples
