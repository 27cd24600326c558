"""The forms that data for evaluation come in, as batches of arrays."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from artifex_compat.data import Examples
from artifex_compat.evaluation.arrays import Array
from artifex_compat.generative_models.models.vae.results import BATCH_KEYS

DATA_KEYS = tuple(dict.fromkeys(("data", "image", *BATCH_KEYS)))
FACTOR_KEYS = ("labels", "factors", "label", "y")
CONDITION_KEYS = ("condition", "y")


class Batch(NamedTuple):
    """Some examples.

    Attributes:
        x: `[n, ...]`.
        factors: `[n]` or `[n, factors]`, or None.
        condition: what a conditional model is given, or None.
    """

    x: Array
    factors: Array | None
    condition: Array | None


def batches_of(data: Any, batch_size: int) -> Iterator[Batch]:
    """The data in batches, in their order.

    Args:
        data: an array; a dictionary of arrays, with the data under one of `DATA_KEYS`, factors
            under one of `FACTOR_KEYS`, the condition of a conditional model under one of
            `CONDITION_KEYS`; `Examples`; or an iterable of such batches.
        batch_size: examples in a batch, where they are not in batches yet.

    Raises:
        TypeError: they are something else.
        ValueError: a dictionary has no data, or its arrays have different numbers of rows.
    """
    whole = in_memory(data)
    if whole is None:
        for part in data:
            batch = in_memory(part)
            if batch is None:
                raise TypeError(
                    f"a batch must be an array or a dictionary, not a {type(part).__name__}."
                )
            if len(batch.x):
                yield batch
        return
    yield from slices(whole, batch_size)


def slices(whole: Batch, batch_size: int) -> Iterator[Batch]:
    """A batch in smaller ones."""
    for start in range(0, len(whole.x), batch_size):
        yield rows_of(whole, slice(start, start + batch_size))


def rows_of(batch: Batch, rows: Any) -> Batch:
    """Some rows of a batch."""
    factors = None if batch.factors is None else batch.factors[rows]
    condition = None if batch.condition is None else batch.condition[rows]
    return Batch(batch.x[rows], factors, condition)


def padded(batch: Batch, count: int) -> Batch:
    """A batch of `count` examples: its own, and the last of them again and again."""
    return rows_of(batch, np.minimum(np.arange(count), len(batch.x) - 1))


def in_memory(data: Any) -> Batch | None:
    """Data that are all there as one batch, None where they are an iterable of batches.

    Raises:
        TypeError: they are neither.
        ValueError: as `batches_of`.
    """
    if isinstance(data, Examples):
        return Batch(data.x, data.factors, None)
    if isinstance(data, Mapping):
        return _from_mapping(data)
    if hasattr(data, "shape") and hasattr(data, "dtype"):
        return Batch(np.asarray(data), None, None)
    if isinstance(data, Iterable) and not isinstance(data, str):
        return None
    raise TypeError(
        "the data must be an array, a dictionary of arrays, Examples, or an iterable of batches, "
        f"not a {type(data).__name__}."
    )


def _from_mapping(data: Mapping[str, Any]) -> Batch:
    parts = [_first(data, keys) for keys in (DATA_KEYS, FACTOR_KEYS, CONDITION_KEYS)]
    if parts[0] is None:
        raise ValueError(
            f"a batch must have its data under one of {', '.join(map(repr, DATA_KEYS))}; "
            f"it has {', '.join(map(repr, data)) or 'nothing'}."
        )
    counts = {len(part) for part in parts if part is not None}
    if len(counts) > 1:
        raise ValueError(
            "a batch must have as many rows in each of its arrays, not "
            f"{' and '.join(map(str, sorted(counts)))}."
        )
    return Batch(*parts)


def _first(data: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    found = next((data[key] for key in keys if key in data), None)
    return None if found is None else np.asarray(found)
