"""The forms that data for evaluation come in, as batches of arrays."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from artifex_compat.data import Examples
from artifex_compat.generative_models.models.vae.batch import Batch, parse_batch
from artifex_compat.generative_models.models.vae.calling import is_conditional
from artifex_compat.generative_models.models.vae.conditioning import check_labels
from edifice_py.checks import check_array, owned


def batches_of(data: Any, batch_size: int, model: Any = None) -> Iterator[Batch]:
    """The data in batches, in their order, as arrays of numpy.

    Args:
        data: an array; a dictionary of arrays, as `parse_batch` reads it; `Examples`; or an
            iterable of such batches.
        batch_size: examples in a batch, where they are not in batches yet.
        model: what they are for. Only a conditional model has a condition.

    Raises:
        TypeError: they are something else, or the condition is not numbers.
        ValueError: a dictionary has no data, its arrays have different numbers of rows, or a label
            is out of range.
    """
    whole = in_memory(data, model)
    if whole is None:
        for part in data:
            batch = in_memory(part, model)
            if batch is None:
                raise TypeError(
                    f"a batch must be an array or a dictionary, not a {type(part).__name__}."
                )
            if len(batch.x):
                yield jax.tree.map(owned, batch)  # the next one may be in the same memory
        return
    yield from slices(whole, batch_size)


def slices(whole: Batch, batch_size: int) -> Iterator[Batch]:
    """A batch in smaller ones."""
    for start in range(0, len(whole.x), batch_size):
        yield rows_of(whole, slice(start, start + batch_size))


def rows_of(batch: Batch, rows: Any) -> Batch:
    """Some rows of a batch."""
    return jax.tree.map(lambda array: array[rows], batch)


def padded(batch: Batch, count: int) -> Batch:
    """A batch of `count` examples: its own, and the last of them again and again."""
    return rows_of(batch, np.minimum(np.arange(count), len(batch.x) - 1))


def in_memory(data: Any, model: Any = None) -> Batch | None:
    """Data that are all there as one batch, None where they are an iterable of batches.

    Raises:
        TypeError, ValueError: as `batches_of`.
    """
    given = data.as_batch() if isinstance(data, Examples) else data
    is_array = hasattr(given, "shape") and hasattr(given, "dtype")
    if not is_array and not isinstance(given, Mapping | Batch):
        if isinstance(given, Iterable) and not isinstance(given, str):
            return None
        raise TypeError(
            "the data must be an array, a dictionary of arrays, Examples, or an iterable of "
            f"batches, not a {type(given).__name__}."
        )
    conditional = is_conditional(model)
    parsed = parse_batch(given, conditional=conditional)
    condition = parsed.condition if conditional else None
    arrays = (
        None if part is None else np.asarray(part) for part in (parsed.x, condition, parsed.factors)
    )
    batch = Batch(*arrays)
    check_array("the data", batch.x)
    if conditional:
        check_labels(batch.condition, getattr(model, "condition_dim", None))
    counts = {len(array) for array in jax.tree.leaves(batch)}
    if len(counts) > 1:
        raise ValueError(
            "a batch must have as many rows in each of its arrays, not "
            f"{' and '.join(map(str, sorted(counts)))}."
        )
    return batch
