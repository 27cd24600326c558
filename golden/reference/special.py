"""Special functions in float64."""

from scipy.special import erfinv

from golden.arrays import Array


def erf_inv(x: Array) -> Array:
    """The inverse of the error function, scipy's."""
    return erfinv(x)
