"""Arrays as images that can be shown."""

from math import isqrt
from typing import Any

import numpy as np

from artifex_compat.evaluation.arrays import Array, check_finite
from edifice_py.checks import array

LEADING = {1: "n, ", 2: "rows, columns, "}


def images_of(name: str, value: Any, leading: int = 1) -> Array:
    """Images as numbers in [0, 1], of one channel `[..., height, width]` or of three.

    Args:
        name: of the argument.
        value: images `[height, width]`, `[height, width, 1]`, `[height, width, 3]`, or flat, of a
            square number of pixels; with as many axes before them as `leading`. What is outside
            of [0, 1] becomes the nearest number in it.
        leading: 0 for one image, 1 for a list of them, 2 for rows and columns.

    Raises:
        TypeError: it is no array of numbers.
        ValueError: it has another shape, holds nothing, or a number is not finite.
    """
    found = np.asarray(array(name, value))
    shape = found.shape[leading:]
    if len(shape) == 3 and shape[2] == 1:
        shape = shape[:2]
    elif len(shape) == 1 and isqrt(shape[0]) ** 2 == shape[0]:
        shape = (isqrt(shape[0]),) * 2
    if not found.size or (len(shape) != 2 and (len(shape) != 3 or shape[2] != 3)):
        before = LEADING.get(leading, "")
        raise ValueError(
            f"{name} must be images [{before}height, width], with 1 or 3 channels or none, or "
            f"flat ones of a square number of pixels, not {list(found.shape)}."
        )
    check_finite(name, found if found.ndim else found[None])
    return np.clip(found, 0, 1).reshape(*found.shape[:leading], *shape)
