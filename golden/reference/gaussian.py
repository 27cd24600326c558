"""The diagonal Gaussian posterior in float64, in the order of the textbook."""

import numpy as np

from golden.arrays import Array


def kl_per_dimension(mean: Array, log_var: Array) -> Array:
    """-1/2 (1 + log s^2 - m^2 - s^2) (Kingma and Welling, 2014, appendix B)."""
    return -0.5 * (1 + log_var - mean**2 - np.exp(log_var))


def kl_per_sample(mean: Array, log_var: Array) -> Array:
    """The sum of `kl_per_dimension` over the last axis."""
    return kl_per_dimension(mean, log_var).sum(axis=-1)


def kl_divergence(mean: Array, log_var: Array) -> Array:
    """The mean of `kl_per_sample` (Edifice.Generative.VAE, kl_divergence)."""
    return kl_per_sample(mean, log_var).mean()


def kl_per_dimension_grad_mean(mean: Array, log_var: Array) -> Array:
    """M."""
    del log_var
    return mean


def kl_per_dimension_grad_log_var(mean: Array, log_var: Array) -> Array:
    """(s^2 - 1) / 2."""
    del mean
    return (np.exp(log_var) - 1) / 2


def free_bits(kl: Array, floor: float) -> Array:
    """max(KL, floor) (Kingma et al., 2016, appendix C.8, per sample)."""
    return np.where(kl > floor, kl, floor)


def free_bits_grad_kl(kl: Array, floor: float) -> Array:
    """1 above the floor, 0 below, 1/2 at a tie."""
    return np.where(kl > floor, 1.0, np.where(kl == floor, 0.5, 0.0))


def clip_log_var(log_var: Array) -> Array:
    """Limits of ±20 (Artifex, VAE.reparameterize)."""
    return np.minimum(np.maximum(log_var, -20), 20)


def clip_log_var_grad_log_var(log_var: Array) -> Array:
    """1 within the limits, 0 beyond."""
    return np.where(np.abs(log_var) < 20, 1.0, 0.0)


def reparameterize(mean: Array, log_var: Array, noise: Array) -> Array:
    """M + s e (Kingma and Welling, 2014, section 2.4)."""
    return mean + np.sqrt(np.exp(log_var)) * noise


def reparameterize_grad_mean(mean: Array, log_var: Array, noise: Array) -> Array:
    """1."""
    del log_var, noise
    return np.ones_like(mean)


def reparameterize_grad_log_var(mean: Array, log_var: Array, noise: Array) -> Array:
    """S e / 2."""
    del mean
    return np.sqrt(np.exp(log_var)) * noise / 2


def log_density(x: Array, mean: Array, log_var: Array) -> Array:
    """Log of 1 / sqrt(2 pi s^2) exp(-(x - m)^2 / (2 s^2))."""
    variance = np.exp(log_var)
    return -((x - mean) ** 2) / (2 * variance) - 0.5 * np.log(2 * np.pi * variance)


def log_density_grad_x(x: Array, mean: Array, log_var: Array) -> Array:
    """(m - x) / s^2."""
    return (mean - x) / np.exp(log_var)


def log_density_grad_mean(x: Array, mean: Array, log_var: Array) -> Array:
    """(x - m) / s^2."""
    return -log_density_grad_x(x, mean, log_var)


def log_density_grad_log_var(x: Array, mean: Array, log_var: Array) -> Array:
    """((x - m)^2 / s^2 - 1) / 2."""
    return ((x - mean) ** 2 / np.exp(log_var) - 1) / 2
