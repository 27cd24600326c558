"""Convolutions with "SAME" padding, computed by the core."""

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.layers.initial import lecun_normal
from edifice_py.core.convolution import convolution, transposed_convolution

Size = tuple[int, int]


class _Same:
    """What a convolution here is made of: plain arguments, which leave all else as nnx has it.

    Args:
        in_features, out_features: channels.
        kernel_size: rows and columns of the kernel.
        strides: steps between the pixels of the result.
        rngs: parameters come from its stream `params`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        *,
        rngs: nnx.Rngs,
    ) -> None:
        super().__init__(  # type: ignore[call-arg]
            in_features, out_features, kernel_size, strides, kernel_init=lecun_normal, rngs=rngs
        )


class Conv(_Same, nnx.Conv):
    """An `nnx.Conv` for images NHWC, padded as "SAME"."""

    def __call__(self, inputs: jax.Array) -> jax.Array:  # type: ignore[override]
        """`[batch, height, width, in_features]` to `[batch, ..., out_features]`."""
        return _apply(self, inputs, convolution)


class ConvTranspose(_Same, nnx.ConvTranspose):
    """An `nnx.ConvTranspose` for images NHWC, padded as "SAME"."""

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """`[batch, height, width, in_features]` to `[batch, ..., out_features]`."""
        return _apply(self, inputs, transposed_convolution)


def _apply(layer: Any, inputs: jax.Array, by: Callable[..., jax.Array]) -> jax.Array:
    arrays = inputs, layer.kernel[...], layer.bias[...]
    images, kernel, bias = layer.promote_dtype(arrays, dtype=layer.dtype)
    return by(images, kernel, strides=layer.strides) + bias.reshape(1, 1, 1, -1)
