"""Reductions in float64."""

import numpy as np

from golden.arrays import Array


def element_mean(values: Array) -> Array:
    """Mean over all elements."""
    return values.sum() / values.size


def latent_sum(values: Array) -> Array:
    """Sum over the last axis."""
    return np.einsum("...j->...", values)


def latent_sum_batch_mean(values: Array) -> Array:
    """Sum over the last axis, mean over the others."""
    return values.sum() / (values.size / values.shape[-1])


def feature_sum_batch_mean(values: Array) -> Array:
    """Sum over all, divided by the first axis (Artifex, compute_reconstruction_loss)."""
    return values.sum() / (values.shape[0] if values.ndim else 1)
