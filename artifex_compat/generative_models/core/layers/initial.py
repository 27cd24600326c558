"""Initial kernels: nnx's own numbers, drawn by the same few programs for whatever shapes."""

from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.typing import DTypeLike

_AT_ONCE = (2**14, 2**17, 2**20)
"""How many numbers are drawn at once, the least that suffices; larger kernels are drawn by nnx."""
_DEVIATION = 0.87962566103423978
"""Of a standard normal between -2 and 2."""
_as_nnx = nnx.initializers.lecun_normal()


def lecun_normal(
    key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32
) -> jax.Array:
    """A truncated normal of variance 1 / inputs: `nnx.initializers.lecun_normal()`, bit for bit.

    What nnx compiles for every shape takes longer than all else in making a model. Where each
    number depends on the key and its place alone, a longer draw begins with those of a shorter one.

    Args:
        key: key.
        shape: `[..., inputs, outputs]`; what stands before counts as inputs.
        dtype: a real floating type.

    Returns:
        a kernel of that shape.
    """
    size = prod(shape)
    count = next((count for count in _AT_ONCE if count >= size), None)
    if count is None or isinstance(key, jax.core.Tracer) or not _by_place(key):
        kernel: jax.Array = _as_nnx(key, shape, dtype)
        return kernel
    drawn = jax.random.truncated_normal(key, -2, 2, (count,), dtype)
    variance = np.asarray(shape[-1] / size, dtype)
    scale = np.sqrt(variance) / np.asarray(_DEVIATION, dtype)
    # Shaped and scaled by numpy, which compiles nothing, and put back to where it was.
    numbers = jax.device_get(drawn)[:size].reshape(shape) * scale
    return jax.device_put(numbers, drawn.sharding if drawn.committed else None)


def _by_place(key: jax.Array) -> bool:
    """Whether what is drawn with a key depends on its place alone, not on how many are drawn."""
    by_place = getattr(jax.config, "jax_threefry_partitionable", True)  # as JAX has it by itself
    return by_place and "threefry" in str(jax.random.key_impl(key))
