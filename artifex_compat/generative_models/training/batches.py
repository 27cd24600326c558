"""Batches: where their data stand, and what a model is called with."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from artifex_compat.generative_models.models.vae.calling import call_with, labels_for
from artifex_compat.generative_models.models.vae.results import BATCH_KEYS

DATA_KEYS = ("image", "data", *(key for key in BATCH_KEYS if key not in ("image", "data")))
"""Where the data of a batch may stand; the first that is there counts."""


def data_of(batch: Any) -> Any:
    """The data of a batch, which is an array or a dictionary.

    Raises:
        KeyError: a dictionary has them under no known name.
    """
    if not isinstance(batch, Mapping):
        return batch
    for key in DATA_KEYS:
        if key in batch:
            return batch[key]
    raise KeyError(
        f"batch must have its data under {' or '.join(map(repr, DATA_KEYS[:2]))}; "
        f"it has {', '.join(map(repr, batch)) or 'nothing'}."
    )


def call_model(model: Any, x: jax.Array, labels: Any) -> Any:
    """What a model gives for data, and for their labels if it takes them; in 32 bits at least."""
    named = labels_for(type(model).__call__, labels)
    return jax.tree.map(_widened, call_with(model, x, **named))


def _widened(output: Any) -> Any:
    narrow = hasattr(output, "dtype") and output.dtype in (jnp.bfloat16, jnp.float16)
    return output.astype(jnp.float32) if narrow else output
