"""What a model is called with, and what must hold of it before training."""

import warnings
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from artifex_compat.generative_models.models.vae.batch import Batch, parse_batch
from artifex_compat.generative_models.models.vae.calling import (
    call_with,
    is_conditional,
    labels_for,
    labels_name,
)
from artifex_compat.generative_models.models.vae.conditioning import check_labels
from artifex_compat.generative_models.models.vae.losses import check_output, output_activation
from artifex_compat.ranges import Range, loss_refusal, output_mismatch, warn_of_channels_first
from edifice_py.checks import check_array, owned


def call_model(model: Any, batch: Any) -> tuple[jax.Array, Any]:
    """The data of a batch, and the model's outputs for them, in 32 bits at least.

    The model is called with the labels of the batch if it takes them.

    Raises:
        BatchError, TypeError: as `parse_batch`.
    """
    call = type(model).__call__
    given = parse_batch(batch, conditional=labels_name(call) is not None)
    x, condition = owned(given.x), owned(given.condition)
    outputs = call_with(model, x, **labels_for(call, condition))
    return x, jax.tree.map(_widened, outputs)


def _widened(output: Any) -> Any:
    narrow = hasattr(output, "dtype") and output.dtype in (jnp.bfloat16, jnp.float16)
    return output.astype(jnp.float32) if narrow else output


def check_data(model: object, loss_type: str | None, data: object) -> None:
    """Refuse data that a loss would train on to nonsense: once, before training.

    Numbers that are not finite are left to the guard of each step.

    Args:
        model: what is trained.
        loss_type: of its loss, None for a loss of the user, whose data are not read.
        data: an array, or a dictionary of arrays as `parse_batch` reads it.

    Raises:
        BatchError, TypeError: as `parse_batch`, or an array is text.
        ValueError: the data are out of the range of the loss, the loss cannot be taken of the
            model's output, or a label is out of range.

    Warns:
        UserWarning: the model's output cannot reach the data, or they seem to be pictures with
            their channels first.
    """
    for name, part in data.items() if isinstance(data, Mapping) else ():
        if isinstance(part, np.ndarray) and part.dtype.kind in "USOMm":
            raise TypeError(
                f"{name!r} of the data must be numbers, not {part.dtype}: leave it out, or number "
                "its classes, as numpy.unique(names, return_inverse=True)[1] does."
            )
    if loss_type is None:
        return
    check_output(model, loss_type)
    batch = check_labels_of(model, data)
    check_array("the data", batch.x)
    if (found := _range_of(batch.x)) is None:
        return
    output = output_activation(model)
    # Bytes may be what a user's own decoder gives.
    known = output is not None or loss_type == "bce"
    if known and (words := loss_refusal(found, loss_type)):
        raise ValueError(words)
    if words := output_mismatch(found, output):
        warnings.warn(words, stacklevel=2)
    warn_of_channels_first(np.shape(batch.x))


def check_labels_of(model: object, batch: object) -> Batch:
    """A batch, parsed, whose labels the model has classes for.

    Raises:
        BatchError, TypeError: as `parse_batch`.
        ValueError: a label is out of range.
    """
    conditional = is_conditional(model)
    parsed = parse_batch(batch, conditional=conditional)
    if conditional:
        check_labels(parsed.condition, getattr(model, "condition_dim", None))
    return parsed


def _range_of(x: Any) -> Range | None:
    """The range of data, None where there is none, or other processes have some of them."""
    if isinstance(x, jax.Array):
        if not x.is_fully_addressable or not x.size:
            return None
        if {device.platform for device in x.devices()} != {"cpu"}:
            return Range(float(jnp.nanmin(x)), float(jnp.nanmax(x)), x.dtype)
        x = np.asarray(x)
    return Range.of(x) if isinstance(x, np.ndarray) and x.size else None
