"""Special functions in float64."""

import numpy as np
from scipy.special import erfinv

from golden.arrays import Array


def erf_inv(x: Array) -> Array:
    """The inverse of the error function, scipy's."""
    return erfinv(x)


def expm1_minus_x(x: Array) -> Array:
    """E^x - 1 - x, by its series where the difference would lose more than four digits."""
    series = x**2 * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x / 120)))
    return np.where(np.abs(x) < 1e-3, series, np.expm1(x) - x)


def expm1_minus_x_grad_x(x: Array) -> Array:
    """E^x - 1."""
    return np.expm1(x)
