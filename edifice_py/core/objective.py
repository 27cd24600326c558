"""Training objectives, put together from their terms. Each is a loss: smaller is better."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from edifice_py.core.formula import formula

Scalar = Float[Array, ""] | Int[Array, ""] | float | int


@formula
def negative_elbo(reconstruction: Scalar, kl: Scalar) -> Float[Array, ""]:
    r"""\(-\mathrm{ELBO} = -E_q[\log p(x|z)] + \mathrm{KL}\).

    Args:
        reconstruction: the negative log-likelihood of the data, a scalar in nats.
        kl: the divergence of the posterior from the prior, a scalar in nats.

    Returns:
        A scalar in nats.

    Reference:
        Kingma and Welling (2014), equation 3.

    Example:
        >>> float(negative_elbo(3.0, 1.5))
        4.5
    """
    return jnp.add(reconstruction, kl)


@formula
def beta_objective(reconstruction: Scalar, kl: Scalar, beta: Scalar) -> Float[Array, ""]:
    r"""\(\mathrm{reconstruction} + \beta\,\mathrm{KL}\).

    Args:
        reconstruction: reconstruction error, a scalar.
        kl: the divergence of the posterior from the prior, a scalar in nats.
        beta: the weight of the KL, in units of the reconstruction error a nat.

    Returns:
        A scalar in units of the reconstruction error.

    Reference:
        Higgins et al. (2017), beta-VAE, equation 4; Edifice.Generative.VAE, `loss`.

    Example:
        >>> float(beta_objective(3.0, 1.5, 4.0))
        9.0
    """
    return jnp.add(reconstruction, jnp.multiply(beta, kl))


@formula
def capacity_objective(
    reconstruction: Scalar, kl: Scalar, capacity: Scalar, gamma: Scalar
) -> Float[Array, ""]:
    r"""\(\mathrm{reconstruction} + \gamma\,|\mathrm{KL} - C|\).

    Args:
        reconstruction: reconstruction error, a scalar.
        kl: the divergence of the posterior from the prior, a scalar in nats.
        capacity: the KL to hold, in nats, as from `schedules.capacity`.
        gamma: the weight of the distance, in units of the reconstruction error a nat.

    Returns:
        A scalar in units of the reconstruction error.

    Reference:
        Burgess et al. (2018), Understanding disentangling in beta-VAE, equation 8.

    Example:
        >>> float(capacity_objective(3.0, 1.5, 2.0, 10.0))
        8.0
    """
    return jnp.add(reconstruction, jnp.multiply(gamma, jnp.abs(jnp.subtract(kl, capacity))))


@formula
def vector_quantization_objective(
    reconstruction: Scalar, codebook: Scalar, commitment: Scalar, commitment_cost: Scalar
) -> Float[Array, ""]:
    r"""\(\mathrm{reconstruction} + \mathrm{codebook} + c\,\mathrm{commitment}\).

    Args:
        reconstruction: reconstruction error, a scalar.
        codebook: `quantize.codebook_loss`.
        commitment: `quantize.commitment_loss`.
        commitment_cost: the weight c of the commitment, 0.25 in the paper.

    Returns:
        A scalar in units of the reconstruction error.

    Reference:
        van den Oord et al. (2017), Neural Discrete Representation Learning, equation 3.

    Example:
        >>> float(vector_quantization_objective(3.0, 1.0, 2.0, 0.25))
        4.5
    """
    return jnp.add(jnp.add(reconstruction, codebook), jnp.multiply(commitment_cost, commitment))
