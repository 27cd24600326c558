"""Checks of fields: each passes its value on, or raises one sentence that says what to give.

They have the form `(name, value) -> value` and stand in the metadata of a dataclass field, from
where `config.Config` calls them.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import numpy as np

from edifice_py import checks

Check = Callable[[str, object], Any]


def checked(check: Check) -> Mapping[str, Check]:
    """The metadata of a field that `check` must accept."""
    return {"check": check}


def text(name: str, value: object) -> str:
    """A string that is not empty.

    Raises:
        ValueError: it is empty, or no string.
    """
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"{name} must be a string that is not empty, not {value!r}.")


def strings(name: str, value: object) -> tuple[str, ...]:
    """A list or tuple of strings, as a tuple.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError(f"{name} must be a list of strings, not {value!r}.")


def mapping(name: str, value: object) -> dict[str, Any]:
    """A mapping with names, as a dictionary of its own.

    Raises:
        ValueError: it is no mapping, or one of its keys is no string.
    """
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict(value)
    raise ValueError(f"{name} must be a mapping of names to values, not {value!r}.")


def flag(name: str, value: object) -> bool:
    """True or False.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool):
        return value
    raise ValueError(f"{name} must be True or False, not {value!r}.")


def size_or_sizes(name: str, value: object) -> tuple[int, ...]:
    """A positive integer or several, as a tuple of at least one.

    Raises:
        ValueError: there is none, or one of them is no positive integer.
    """
    if checks.integer(value) is not None:
        return (checks.positive_int(name, value),)
    return some_sizes(name, value)


def some_sizes(name: str, value: object) -> tuple[int, ...]:
    """A list or tuple of at least one positive integer, as a tuple.

    Raises:
        ValueError: it is empty, or one of them is no positive integer.
    """
    found = checks.sizes(name, value)
    if not found:
        raise ValueError(f"{name} must be a list of at least one positive integer, not {value!r}.")
    return found


def count(name: str, value: object) -> int:
    """An integer of at least 0.

    Raises:
        ValueError: it is negative, or no integer.
    """
    number = checks.integer(value)
    if number is None or number < 0:
        raise ValueError(f"{name} must be a non-negative integer, not {value!r}.")
    return number


def positive(name: str, value: object) -> float:
    """A finite number above 0.

    Raises:
        ValueError: it is not.
    """
    return _number(name, value, "a positive number", lambda number: number > 0)


def non_negative(name: str, value: object) -> float:
    """A finite number of at least 0.

    Raises:
        ValueError: it is not.
    """
    return _number(name, value, "a non-negative number", lambda number: number >= 0)


def probability(name: str, value: object) -> float:
    """A number from 0 to 1.

    Raises:
        ValueError: it is not.
    """
    return _number(name, value, "a number from 0 to 1", lambda number: 0 <= number <= 1)


def one_of(allowed: Collection[str]) -> Check:
    """A check that a value is one of `allowed`."""
    return lambda name, value: checks.choice(name, value, allowed)


def only(value: Any, where: str) -> Check:
    """A check that a field that does not apply is left at its default.

    Args:
        value: the default.
        where: why it does not apply; the end of "... must be 1.0 in".
    """

    def check(name: str, given: object) -> Any:
        if given == value:
            return value
        raise ValueError(f"{name} must be {value!r} in {where}, not {given!r}.")

    return check


def optional(check: Check) -> Check:
    """A check that lets None through."""
    return lambda name, value: None if value is None else check(name, value)


def _number(name: str, value: object, what: str, fits: Callable[[float], bool]) -> float:
    if isinstance(value, np.generic | jax.Array) and np.shape(value) == ():
        value = value.item()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and math.isfinite(value) and fits(value):  # type: ignore[arg-type]
        return value  # type: ignore[return-value]
    raise ValueError(f"{name} must be {what}, not {value!r}.")
