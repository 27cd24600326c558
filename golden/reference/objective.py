"""Objectives in float64."""


def negative_elbo(reconstruction: float, kl: float) -> float:
    """Reconstruction + KL."""
    return reconstruction + kl


def beta_objective(reconstruction: float, kl: float, beta: float) -> float:
    """Reconstruction + beta KL (Higgins et al., 2017, equation 4)."""
    return reconstruction + beta * kl


def capacity_objective(reconstruction: float, kl: float, capacity: float, gamma: float) -> float:
    """Reconstruction + gamma |KL - C| (Burgess et al., 2018, equation 8)."""
    return reconstruction + gamma * abs(kl - capacity)


def vector_quantization_objective(
    reconstruction: float, codebook: float, commitment: float, commitment_cost: float
) -> float:
    """Reconstruction + codebook + c commitment (van den Oord et al., 2017, equation 3)."""
    return reconstruction + codebook + commitment_cost * commitment
