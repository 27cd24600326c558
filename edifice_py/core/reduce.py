"""Reductions. The name says over which axes: there is no string argument to get wrong."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from edifice_py.core.formula import formula


@formula
def element_mean(values: Float[Array, "..."]) -> Float[Array, ""]:
    r"""Mean over every element: \(\frac{1}{N}\sum_n v_n\).

    Args:
        values: any shape.

    Returns:
        A scalar in the unit of `values`.

    Reference:
        Edifice.Generative.VAE, `loss`: the mean squared error.

    Example:
        >>> float(element_mean(jnp.array([[1.0, 2.0], [3.0, 6.0]])))
        3.0
    """
    return jnp.mean(values)


@formula
def latent_sum(values: Float[Array, "*batch latent"]) -> Float[Array, "*batch"]:
    r"""Sum over the last axis, the latent one: \(\sum_j v_{\cdot j}\).

    Args:
        values: `[..., latent]`.

    Returns:
        `[...]`, one value a sample, in the unit of `values`.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, appendix B.

    Example:
        >>> latent_sum(jnp.array([[1.0, 2.0], [3.0, 6.0]])).tolist()
        [3.0, 9.0]
    """
    return jnp.sum(values, axis=-1)


@formula
def latent_sum_batch_mean(values: Float[Array, "*batch latent"]) -> Float[Array, ""]:
    r"""Sum over the last axis, then mean over all others: \(\frac{1}{B}\sum_{bj} v_{bj}\).

    Args:
        values: `[..., latent]`; a single vector gives its plain sum.

    Returns:
        A scalar in the unit of `values`.

    Reference:
        Edifice.Generative.VAE, `kl_divergence`: "mean over batch".

    Example:
        >>> float(latent_sum_batch_mean(jnp.array([[1.0, 2.0], [3.0, 6.0]])))
        6.0
    """
    return element_mean(latent_sum(values))


@formula
def feature_sum_batch_mean(values: Float[Array, "..."]) -> Float[Array, ""]:
    r"""Sum over all axes but the first, then mean over the first.

    Args:
        values: `[batch, ...]`. A vector is a batch of one feature each, so it gives its mean, and
            a scalar gives itself.

    Returns:
        A scalar in the unit of `values`.

    Reference:
        Artifex, `VAETrainer.compute_reconstruction_loss`.

    Example:
        >>> float(feature_sum_batch_mean(jnp.ones((4, 2, 3))))
        6.0
    """
    return element_mean(jnp.sum(values, axis=tuple(range(1, values.ndim))))
