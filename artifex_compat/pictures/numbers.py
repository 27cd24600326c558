"""Lists of numbers, as metrics give them."""

from typing import Any

import numpy as np

from artifex_compat.evaluation.arrays import Array, check_finite


def amounts(name: str, value: Any) -> Array:
    """Numbers from 0 on as float64 `[n]`; a tuple of a score's details is taken too.

    Raises:
        ValueError: they are something else, not finite, below 0, or there is none.
    """
    found = np.asarray(value)
    if found.ndim != 1 or not found.size or found.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} must be a list of numbers, at least one, "
            f"not an array of {found.dtype}{list(found.shape)}."
        )
    check_finite(name, found)
    if found.min() < 0:
        raise ValueError(f"{name} must not be below 0, and {found.min():g} is among them.")
    return found.astype(np.float64)
