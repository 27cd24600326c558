"""Batches: the keys that users have for data and labels, read in one place and in one order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax

from edifice_py.checks import native

DATA_KEYS = ("image", "data", "x", "inputs", "input")
"""Keys of the data; the first that is there counts."""

LABEL_KEYS = ("y", "label", "labels", "condition")
"""Keys of the condition of a conditional model; the first that is there counts."""

FACTOR_KEYS = ("factors", "labels", "label", "y")
"""Keys of the factors that evaluation scores against; the first that is there counts. They are the
labels, so that `{"labels": ...}` is both, and `{"y": ..., "labels": ...}` is one of each."""


class BatchError(ValueError, KeyError):
    """A batch has no data, or its labels have a key that is not known.

    It is a `ValueError` as the documents have it in losses, and a `KeyError` as in trainers.
    """

    __str__ = ValueError.__str__  # that of KeyError quotes its sentence


@partial(
    jax.tree_util.register_dataclass, data_fields=["x", "condition", "factors"], meta_fields=[]
)
@dataclass(frozen=True)
class Batch:
    """Some examples. It is a pytree, so a compiled function takes it and returns it.

    Attributes:
        x: data, `[n, ...]`.
        condition: what a conditional model is called with, labels `[n]` or `[n, 1]`, or rows
            `[n, width]`; or None.
        factors: what evaluation scores against, `[n]` or `[n, factors]`; or None.
    """

    x: Any
    condition: Any = None
    factors: Any = None


def parse_batch(
    batch: object, *, x: object = None, y: object = None, conditional: bool = False
) -> Batch:
    """A batch of a user in native byte order, whose arrays may be traced.

    Args:
        batch: an array; a dictionary with the data under one of `DATA_KEYS` and labels under
            `LABEL_KEYS` and `FACTOR_KEYS`; or a `Batch`. Other keys, like "index", are not read.
        x: the data in place of those of the batch, or a dictionary with them.
        y: the condition in place of that of the batch.
        conditional: whether it is for a conditional model. Its labels must not be under another
            key, which would train it without them.

    Raises:
        BatchError: there are no data, or only a key that is not known could hold the labels.
        TypeError: it is something else.
    """
    if isinstance(x, Mapping | Batch):
        batch, x = x, None
    if isinstance(batch, Batch):
        data, condition = batch.x if x is None else x, batch.condition if y is None else y
        return Batch(native(data), native(condition), native(batch.factors))
    if not isinstance(batch, Mapping):
        data = batch if x is None else x
        if not hasattr(data, "shape") or not hasattr(data, "dtype"):
            raise TypeError(
                "a batch must be an array or a dictionary of arrays, with the data under "
                f"{DATA_KEYS[0]!r} and labels under {LABEL_KEYS[0]!r}, "
                f"not a {type(data).__name__}."
            )
        return Batch(native(data), native(y))
    data = _first(batch, DATA_KEYS) if x is None else x
    if data is None:
        raise BatchError(
            f"Input 'x' is a dictionary, which must have its data under one of {_list(DATA_KEYS)}; "
            f"it has {_list(batch) or 'nothing'}."
        )
    condition = _first(batch, LABEL_KEYS) if y is None else y
    others = [key for key in batch if key not in (*DATA_KEYS, *LABEL_KEYS)]
    if conditional and condition is None and others:
        raise BatchError(
            f"a batch of a conditional model must have its labels under one of "
            f"{_list(LABEL_KEYS)}, not under {_list(others)}: rename it to {LABEL_KEYS[0]!r}, "
            "or leave it out."
        )
    return Batch(native(data), native(condition), native(_first(batch, FACTOR_KEYS)))


def _first(batch: Mapping[Any, Any], keys: tuple[str, ...]) -> Any:
    return next((batch[key] for key in keys if key in batch and batch[key] is not None), None)


def _list(keys: Any) -> str:
    return ", ".join(map(repr, keys))
