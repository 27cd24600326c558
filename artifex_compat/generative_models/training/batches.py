"""A model's outputs for a batch."""

from typing import Any

import jax
import jax.numpy as jnp

from artifex_compat.generative_models.models.vae.batch import parse_batch
from artifex_compat.generative_models.models.vae.calling import call_with, labels_for, labels_name


def call_model(model: Any, batch: Any) -> tuple[jax.Array, Any]:
    """The data of a batch, and the model's outputs for them, in 32 bits at least.

    The model is called with the labels of the batch if it takes them.

    Raises:
        BatchError, TypeError: as `parse_batch`.
    """
    call = type(model).__call__
    given = parse_batch(batch, conditional=labels_name(call) is not None)
    outputs = call_with(model, given.x, **labels_for(call, given.condition))
    return given.x, jax.tree.map(_widened, outputs)


def _widened(output: Any) -> Any:
    narrow = hasattr(output, "dtype") and output.dtype in (jnp.bfloat16, jnp.float16)
    return output.astype(jnp.float32) if narrow else output
