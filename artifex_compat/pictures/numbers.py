"""Lists of numbers, as metrics give them."""

from typing import Any

from artifex_compat.evaluation.arrays import Array, numbers


def amounts(name: str, value: Any) -> Array:
    """Numbers from 0 on as float64 `[n]`; a tuple of a score's details is taken too.

    Raises:
        ValueError: they are something else, not finite, below 0, or there is none.
    """
    found = numbers(name, value)
    if found.min() < 0:
        raise ValueError(f"{name} must not be below 0, and {found.min():g} is among them.")
    return found
