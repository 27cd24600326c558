"""Reconstruction errors in float64."""

import numpy as np

from golden.arrays import Array


def squared_error(reconstruction: Array, target: Array) -> Array:
    """(r - x)^2."""
    return (reconstruction - target) ** 2


def squared_error_grad_reconstruction(reconstruction: Array, target: Array) -> Array:
    """2 (r - x)."""
    return 2 * (reconstruction - target)


def absolute_error(reconstruction: Array, target: Array) -> Array:
    """|r - x|."""
    return np.abs(reconstruction - target)


def bernoulli_from_probabilities(probability: Array, target: Array) -> Array:
    """Cross-entropy with p within [1e-7, 1 - 1e-7]."""
    return _cross_entropy(np.clip(probability, 1e-7, 1 - 1e-7), target, 0.0)


def bernoulli_from_probabilities_grad_probability(probability: Array, target: Array) -> Array:
    """(1 - x) / (1 - p) - x / p within the limits, 0 beyond."""
    inside = (probability > 1e-7) & (probability < 1 - 1e-7)
    p = np.where(inside, probability, 0.5)
    return np.where(inside, (1 - target) / (1 - p) - target / p, 0.0)


def bernoulli_with_offset(probability: Array, target: Array) -> Array:
    """Cross-entropy with 1e-8 inside both logarithms."""
    return _cross_entropy(probability, target, 1e-8)


def bernoulli_from_logits(logit: Array, target: Array) -> Array:
    """Cross-entropy of sigmoid(l): x log(1 + e^-l) + (1 - x) log(1 + e^l)."""
    return target * np.logaddexp(0, -logit) + (1 - target) * np.logaddexp(0, logit)


def bernoulli_from_logits_grad_logit(logit: Array, target: Array) -> Array:
    """sigmoid(l) - x."""
    return (1 - target) * np.exp(-np.logaddexp(0, -logit)) - target * np.exp(
        -np.logaddexp(0, logit)
    )


def _cross_entropy(p: Array, target: Array, offset: float) -> Array:
    return -target * np.log(p + offset) - (1 - target) * np.log(1 - p + offset)
