"""What metrics take: latents and factors, checked and in float64."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edifice_py.checks import array, integer

Array = NDArray[Any]
PER_VALUE = 2
"""A factor must have this many examples for each of its values, on average."""


def latents_of(value: Any, *, least: int = 1) -> Array:
    """Latents as float64 `[n, latent]`.

    Args:
        value: `[n, latent]`, of numpy or JAX.
        least: how many dimensions there must be.

    Raises:
        TypeError: they are no array of numbers.
        ValueError: they have another rank, fewer dimensions or examples than two, or are not
            finite.
    """
    found = np.asarray(array("latents", value)).astype(np.float64)
    if found.ndim != 2 or len(found) < 2 or found.shape[1] < least:
        raise ValueError(
            f"latents must be [n, latent] with at least 2 examples and {least} "
            f"dimension{'s' * (least > 1)}, not {list(found.shape)}."
        )
    check_finite("latents", found)
    return found


def values_of_factors(value: Any, count: int) -> Array:
    """Factors as float64 `[n, factors]`; `[n]` is one factor.

    Raises:
        TypeError: they are no array of numbers.
        ValueError: there are not as many rows as `count`, one is not finite, or a factor does not
            vary.
    """
    found = np.asarray(array("factors", value)).astype(np.float64)
    if found.ndim not in (1, 2) or found.size == 0 or len(found) != count:
        raise ValueError(
            f"factors must be [{count}] or [{count}, factors], a row for each row of latents, "
            f"not {list(found.shape)}."
        )
    check_finite("factors", found)
    rows = found.reshape(count, -1)
    (still,) = np.nonzero(np.ptp(rows, axis=0) == 0)
    if still.size:
        raise ValueError(
            f"factors must vary, and factor {still[0]} has one value only: leave it out."
        )
    return rows


def classes_of_factors(value: Any, count: int) -> Array:
    """Factors as class numbers from 0, int64 `[n, factors]`.

    Raises:
        TypeError, ValueError: as `values_of_factors`; or a factor has nearly as many values as
            there are examples, which are no classes.
    """
    rows = values_of_factors(value, count)
    result = np.empty(rows.shape, np.int64)
    for index, column in enumerate(rows.T):
        names, result[:, index] = np.unique(column, return_inverse=True)
        if len(names) * PER_VALUE > count:
            raise ValueError(
                f"factors must be classes, at least {PER_VALUE} examples for each of their values, "
                f"and factor {index} has {len(names)} values in {count} examples: bring it to "
                "fewer with artifex_compat.evaluation.discrete.discretize."
            )
    return result


def standardized(latents: Array) -> Array:
    """Latents less their mean over their standard deviation; those that do not vary are 0.

    Args:
        latents: `[n, latent]`.
    """
    deviations = latents.std(axis=0)
    return (latents - latents.mean(axis=0)) / np.where(deviations > 0, deviations, 1)


def split(count: int, test_fraction: float, seed: int) -> tuple[Array, Array]:
    """Rows to train on and rows to test on, in a random order.

    Raises:
        ValueError: one of the parts would be empty.
    """
    held_out = round(count * test_fraction)
    if not 0 < held_out < count:
        raise ValueError(
            f"test_fraction must leave some of the {count} examples on each side, like 1/3, "
            f"not {test_fraction}."
        )
    order = np.random.default_rng(seed).permutation(count)
    return order[held_out:], order[:held_out]


def flags(name: str, value: Any, count: int) -> tuple[bool, ...]:
    """One bool for each of `count` factors, from one for all or from as many.

    Raises:
        ValueError: they are not as many, or not bools.
    """
    given = (value,) * count if isinstance(value, bool) else tuple(value)
    if len(given) != count or not all(isinstance(flag, bool) for flag in given):
        raise ValueError(f"{name} must be True, False, or {count} of them, not {value!r}.")
    return given


def top_two(matrix: Array) -> tuple[Array, Array]:
    """The largest of each column less the second largest, and the row of the largest.

    Args:
        matrix: `[rows, columns]`, at least two rows.
    """
    ascending = np.sort(matrix, axis=0)
    return ascending[-1] - ascending[-2], matrix.argmax(axis=0)


def numbers(name: str, value: Any) -> Array:
    """A list of finite numbers, at least one, as float64 `[n]`.

    Raises:
        ValueError: it is something else, or one of them is not finite.
    """
    found = np.asarray(value)
    if found.ndim != 1 or not found.size or found.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} must be a list of numbers, at least one, like [0, 0.5, 3], "
            f"not an array of {found.dtype}{list(found.shape)}."
        )
    check_finite(name, found)
    return found.astype(np.float64)


def check_finite(name: str, values: Array) -> None:
    """Refuse numbers that are not finite.

    Args:
        name: of the argument.
        values: `[rows, ...]`.

    Raises:
        ValueError: one of them is not; the sentence says in how many rows.
    """
    if not np.isfinite(values).all():
        rows = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
        raise ValueError(
            f"{name} must be finite, and {rows.sum():,} of {len(values):,} rows are not, "
            f"the first of them number {rows.argmax()}."
        )


def latent_number(name: str, value: Any, latents: int) -> int:
    """The number of a latent, from 0.

    Raises:
        ValueError: there is no such latent.
    """
    number = integer(value)
    if number is None or not 0 <= number < latents:
        raise ValueError(
            f"{name} must be numbers of latents, from 0 to {latents - 1}, not {value!r}."
        )
    return number
