"""Dense layers that stand side by side on one input."""

from itertools import accumulate
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx


def side_by_side(x: jax.Array, *layers: Any) -> tuple[jax.Array, ...]:
    """What each layer gives for the same input, by one product of matrices for all of them.

    Layers of another kind than a plain `nnx.Linear` are called one by one.

    Args:
        x: `[..., in_features]`.
        *layers: the layers.

    Returns:
        `[..., out_features]` of each.
    """
    if not all(_is_plain(layer) for layer in layers):
        return tuple(layer(x) for layer in layers)
    kernel = jnp.concatenate([layer.kernel[...] for layer in layers], axis=1)
    bias = jnp.concatenate([layer.bias[...] for layer in layers])
    x, kernel, bias = layers[0].promote_dtype((x, kernel, bias), dtype=layers[0].dtype)
    ends = list(accumulate(layer.out_features for layer in layers))
    values = jnp.matmul(x, kernel) + bias.reshape((1,) * (x.ndim - 1) + (-1,))
    return tuple(jnp.split(values, ends[:-1], axis=-1))


def _is_plain(layer: Any) -> bool:
    plain = type(layer) is nnx.Linear and layer.bias is not None
    return plain and layer.precision is None and layer.dot_general is jax.lax.dot_general
