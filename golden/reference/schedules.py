"""Schedules in float64, in words of the Artifex documentation (VAE Trainer)."""

import numpy as np

from golden.arrays import Array


def constant(step: Array, beta: float) -> Array:
    """Beta."""
    return np.full(np.shape(step), beta, np.float64)


def linear(step: Array, beta: float, warmup_steps: float) -> Array:
    """A ramp to beta over the warm-up."""
    ramp = step / max(1, warmup_steps)
    return np.where(ramp < 1, beta * ramp, beta)


def sigmoid(step: Array, beta: float, warmup_steps: float) -> Array:
    """A logistic curve, centre w/2, scale w/10."""
    scale = max(1, warmup_steps / 10)
    return beta / (1 + np.exp((warmup_steps / 2 - step) / scale))


def cyclical(step: Array, beta: float, period: float) -> Array:
    """A ramp over half a period, then beta, in every period."""
    ramp = (step - period * np.floor(step / period)) / max(1, period / 2)
    return np.where(ramp < 1, beta * ramp, beta)


def capacity(step: Array, maximum: float, num_iter: float) -> Array:
    """A ramp to the maximum over the iterations (Burgess et al., 2018, section 5)."""
    return np.where(step < num_iter, maximum * (step / num_iter), maximum)
