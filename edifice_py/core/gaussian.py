"""Diagonal Gaussians: divergence from the standard normal, samples, densities."""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from edifice_py.core.formula import formula
from edifice_py.core.reduce import latent_sum, latent_sum_batch_mean
from edifice_py.core.special import expm1_minus_x

LOG_2PI = math.log(2 * math.pi)
LOG_VAR_LIMIT = 20.0
"""Artifex samples with log-variances within ±20: standard deviations of 4.5e-5 to 2.2e4."""


@formula
def kl_per_dimension(
    mean: Float[Array, "*batch latent"], log_var: Float[Array, "*batch latent"]
) -> Float[Array, "*batch latent"]:
    r"""KL of N(mean, exp(log_var)) from N(0, 1) for each latent dimension.

    \(-\frac12 (1 + \log\sigma^2 - \mu^2 - \sigma^2)\), computed as half the sum of \(\mu^2\) and
    \(\sigma^2 - 1 - \log\sigma^2\), neither of which is ever negative: near the prior the textbook
    order subtracts ones from ones and loses every digit.

    Args:
        mean: posterior mean, `[..., latent]`.
        log_var: log of the posterior variance, same shape. It is not clipped: beyond 88 the f32
            result is inf.

    Returns:
        `[..., latent]`, in nats, never negative.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, appendix B.

    Example:
        >>> kl_per_dimension(jnp.array([[0.0, 1.0]]), jnp.array([[0.0, 0.0]])).tolist()
        [[0.0, 0.5]]
    """
    return 0.5 * (jnp.square(mean) + expm1_minus_x(log_var))


@formula
def kl_per_sample(
    mean: Float[Array, "*batch latent"], log_var: Float[Array, "*batch latent"]
) -> Float[Array, "*batch"]:
    r"""KL of the posterior from the prior for each sample: the sum over its dimensions.

    Args:
        mean: posterior mean, `[..., latent]`.
        log_var: log of the posterior variance, same shape.

    Returns:
        `[...]`, in nats.

    Reference:
        Kingma and Welling (2014), appendix B.

    Example:
        >>> kl_per_sample(jnp.array([[1.0, 1.0]]), jnp.array([[0.0, 0.0]])).tolist()
        [1.0]
    """
    return latent_sum(kl_per_dimension(mean, log_var))


@formula
def kl_divergence(
    mean: Float[Array, "*batch latent"], log_var: Float[Array, "*batch latent"]
) -> Float[Array, ""]:
    r"""KL of the posterior from the prior: sum over latent dimensions, mean over samples.

    Args:
        mean: posterior mean, `[..., latent]`.
        log_var: log of the posterior variance, same shape.

    Returns:
        A scalar, in nats.

    Reference:
        Edifice.Generative.VAE, `kl_divergence`.

    Example:
        >>> float(kl_divergence(jnp.array([[1.0, 1.0], [0.0, 0.0]]), jnp.zeros((2, 2))))
        0.5
    """
    return latent_sum_batch_mean(kl_per_dimension(mean, log_var))


@formula
def free_bits(
    kl: Float[Array, "*batch latent"], floor: Float[Array, ""] | float
) -> Float[Array, "*batch latent"]:
    r"""Floor each KL term: \(\max(\mathrm{KL}_{bj}, \lambda)\), per sample and per dimension.

    A term below the floor has no gradient; at an exact tie it has half of it.

    Args:
        kl: KL per dimension, `[..., latent]`, in nats.
        floor: the free nats of a dimension; 0 leaves a KL as it is.

    Returns:
        `[..., latent]`, in nats.

    Reference:
        Kingma et al. (2016), Improved Variational Inference with Inverse Autoregressive Flow,
        appendix C.8; there the floor applies to the mean over the batch, here and in Artifex to
        each sample.

    Example:
        >>> free_bits(jnp.array([[0.25, 2.0]]), 0.5).tolist()
        [[0.5, 2.0]]
    """
    return jnp.maximum(kl, floor)


@formula
def clip_log_var(log_var: Float[Array, "..."]) -> Float[Array, "..."]:
    """Clip log-variances to ±`LOG_VAR_LIMIT`, so that a standard deviation stays finite.

    Args:
        log_var: any shape.

    Returns:
        The same shape. There is no gradient beyond the limits.

    Reference:
        Artifex, `VAE.reparameterize`. Edifice does not clip.

    Example:
        >>> clip_log_var(jnp.array([-30.0, 1.0, 30.0])).tolist()
        [-20.0, 1.0, 20.0]
    """
    return jnp.clip(log_var, -LOG_VAR_LIMIT, LOG_VAR_LIMIT)


@formula
def reparameterize(
    mean: Float[Array, "*shape"], log_var: Float[Array, "*shape"], noise: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""A sample of the posterior: \(z = \mu + e^{\log\sigma^2/2} \epsilon\), \(\epsilon\) given.

    Args:
        mean: posterior mean, any shape.
        log_var: log of the posterior variance, same shape; not clipped.
        noise: standard normal values, same shape.

    Returns:
        The sample, same shape.

    Reference:
        Kingma and Welling (2014), section 2.4.

    Example:
        >>> reparameterize(jnp.array([1.0]), jnp.array([0.0]), jnp.array([-0.5])).tolist()
        [0.5]
    """
    return mean + jnp.exp(0.5 * log_var) * noise


@formula
def log_density(
    x: Float[Array, "*shape"], mean: Float[Array, "*shape"], log_var: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""\(-\frac12 (\log 2\pi + \log\sigma^2 + (x - \mu)^2 / \sigma^2)\), element by element.

    Args:
        x: where, any shape.
        mean: of the Gaussian, same shape.
        log_var: log of its variance, same shape; not clipped.

    Returns:
        The same shape, in nats.

    Reference:
        Kingma and Welling (2014), appendix C.2.

    Example:
        >>> zero = jnp.zeros(())
        >>> round(float(log_density(zero, zero, zero)), 6)
        -0.918939
    """
    return -0.5 * (LOG_2PI + log_var + jnp.square(x - mean) * jnp.exp(-log_var))
