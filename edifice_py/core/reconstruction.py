"""Reconstruction errors, element by element; a reduction of `core.reduce` makes a term of them."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from edifice_py.core.formula import formula

PROBABILITY_MARGIN = 1e-7
"""`bernoulli_from_probabilities` keeps probabilities this far from 0 and 1."""

LOG_OFFSET = 1e-8
"""`bernoulli_with_offset` adds this inside its logarithms."""


@formula
def squared_error(
    reconstruction: Float[Array, "*shape"], target: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""\((\hat x - x)^2\): a Gaussian likelihood of variance 1/2, up to a constant.

    Args:
        reconstruction: decoder output, any shape.
        target: what it should be, same shape.

    Returns:
        The same shape, in squared units of the data.

    Reference:
        Edifice.Generative.VAE, `loss`.

    Example:
        >>> squared_error(jnp.array([1.0]), jnp.array([3.0])).tolist()
        [4.0]
    """
    return jnp.square(reconstruction - target)


@formula
def absolute_error(
    reconstruction: Float[Array, "*shape"], target: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""\(|\hat x - x|\): a Laplace likelihood of scale 1, up to a constant.

    Args:
        reconstruction: decoder output, any shape.
        target: what it should be, same shape.

    Returns:
        The same shape, in units of the data.

    Reference:
        Artifex 0.1.3, `VAETrainer.compute_reconstruction_loss`, `loss_type="mae"`.

    Example:
        >>> absolute_error(jnp.array([1.0]), jnp.array([3.0])).tolist()
        [2.0]
    """
    return jnp.abs(reconstruction - target)


@formula
def bernoulli_from_probabilities(
    probability: Float[Array, "*shape"], target: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""\(-x \log p - (1 - x) \log(1 - p)\), with p kept within [1e-7, 1 - 1e-7].

    Args:
        probability: decoder output in [0, 1], any shape. There is no gradient beyond the limits.
        target: in [0, 1], same shape.

    Returns:
        The same shape, in nats; at most about 16.1. The float32 nearest to 1 - 1e-7 is 0.99999988.

    Reference:
        Kingma and Welling (2014), appendix C.1; the limits are those of Artifex 0.1.3.

    Example:
        >>> round(float(bernoulli_from_probabilities(jnp.array(0.5), jnp.array(1.0))), 6)
        0.693147
    """
    p = jnp.clip(probability, PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
    return -(target * jnp.log(p) + (1 - target) * jnp.log1p(-p))


@formula
def bernoulli_with_offset(
    probability: Float[Array, "*shape"], target: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""\(-x \log(p + 10^{-8}) - (1 - x) \log(1 - p + 10^{-8})\).

    In f32 the offset vanishes beside 1, and the gradient at 0 and 1 is ±1e8: use this only where
    numbers of Artifex's VQ-VAE must be met, `bernoulli_from_logits` wherever logits are to be had.

    Args:
        probability: decoder output in [0, 1], any shape.
        target: in [0, 1], same shape.

    Returns:
        The same shape, in nats; at most about 18.4.

    Reference:
        Artifex, `VQVAE.loss_fn`.

    Example:
        >>> round(float(bernoulli_with_offset(jnp.array(0.0), jnp.array(1.0))), 4)
        18.4207
    """
    # Without the barrier XLA adds the constants first, and 1 + 1e-8 is 1 in f32.
    complement = lax.optimization_barrier(1 - probability)
    return -(
        target * jnp.log(probability + LOG_OFFSET) + (1 - target) * jnp.log(complement + LOG_OFFSET)
    )


@formula
def bernoulli_from_logits(
    logit: Float[Array, "*shape"], target: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""\(-x \log \sigma(l) - (1 - x) \log(1 - \sigma(l))\), exact at any logit.

    Computed as \(x \operatorname{softplus}(-l) + (1 - x) \operatorname{softplus}(l)\), which does
    not overflow, nor cancel, nor need a margin.

    Args:
        logit: decoder output before its sigmoid, any shape.
        target: in [0, 1], same shape.

    Returns:
        The same shape, in nats.

    Reference:
        Kingma and Welling (2014), appendix C.1.

    Example:
        >>> bernoulli_from_logits(jnp.array([0.0, 1000.0]), jnp.array([1.0, 0.0])).tolist()
        [0.6931471824645996, 1000.0]
    """
    return target * jax.nn.softplus(-logit) + (1 - target) * jax.nn.softplus(logit)
