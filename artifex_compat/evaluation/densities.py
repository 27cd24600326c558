"""Log-densities with all their constants, in nats."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from edifice_py.checks import choice
from edifice_py.core import gaussian, reconstruction, reduce
from edifice_py.nx import float_type

OBSERVATIONS = ("bernoulli", "gaussian")
Likelihood = Callable[[jax.Array, jax.Array], jax.Array]


def standard_normal_log_density(z: jax.Array) -> jax.Array:
    """The log-density of the prior, summed over all axes but the first: `[n]`, in nats."""
    zero = jnp.zeros_like(z)
    return per_example(gaussian.log_density(z, zero, zero))


def per_example(terms: jax.Array) -> jax.Array:
    """The sum over all axes but the first, `[n]`."""
    return reduce.latent_sum(terms.reshape(terms.shape[0], -1))


def likelihood(observation: str, variance: float = 0.5) -> Likelihood:
    r"""The log-likelihood of data given their reconstruction.

    Args:
        observation: "bernoulli", the reconstruction a probability: the negative of the "bce" of
            `VAETrainer`; or "gaussian", the reconstruction a mean.
        variance: of the Gaussian, in squared units of the data. With 1/2 it is the negative of the
            trainer's "mse" less \(\frac{D}{2} \log \pi\), for D features.

    Returns:
        A function of data and reconstructions, `[n, ...]` each, to nats `[n]`.

    Raises:
        ValueError: there is no such observation, or the variance is not positive.
    """
    choice("observation", observation, OBSERVATIONS)
    if not 0 < variance < math.inf:
        raise ValueError(f"variance must be a positive number, like 0.5, not {variance!r}.")
    if observation == "bernoulli":
        return _bernoulli
    log_var = math.log(variance)

    def of_gaussian(x: jax.Array, reconstructed: jax.Array) -> jax.Array:
        spread = jnp.full_like(reconstructed, log_var, dtype=float_type(reconstructed))
        return per_example(gaussian.log_density(x, reconstructed, spread))

    return of_gaussian


def _bernoulli(x: jax.Array, reconstructed: jax.Array) -> jax.Array:
    return -per_example(reconstruction.bernoulli_from_probabilities(reconstructed, x))
