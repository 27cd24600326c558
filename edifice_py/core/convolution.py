"""Convolutions of images, by the fastest way that a platform has.

XLA has fast convolutions on GPU and TPU. On CPU it has none for the weights of a transposed
convolution, nor for any inside a loop, so that a step of training takes ten times as long as need
be. There a convolution is one product of matrices beside copies: what a kernel sees is gathered
into rows before it, or what it gives is added up behind it.

These are no `formula`s: they compute in the type of their arguments, as layers do; integers count
as float32.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Real

Size = tuple[int, int]
Pixels = tuple[int, ...]
Offsets = Sequence[range]
"""Down and across, how far each tap of a kernel is from the pixel that it belongs to."""

LAYOUT = ("NHWC", "HWIO", "NHWC")


@partial(jax.jit, static_argnames="strides")
def convolution(
    images: Real[Array, "batch height width inputs"],
    kernel: Real[Array, "rows columns inputs outputs"],
    *,
    strides: Size = (1, 1),
) -> Float[Array, "batch height_out width_out outputs"]:
    r"""Convolution with "SAME" padding: \(y_o = \sum_k x_{s o + k - p} w_k\).

    Args:
        images: `[batch, height, width, inputs]`.
        kernel: `[rows, columns, inputs, outputs]`.
        strides: steps between the pixels of the result, down and across.

    Returns:
        `[batch, ceil(height / strides[0]), ceil(width / strides[1]), outputs]`.

    Reference:
        `jax.lax.conv_general_dilated`, whose numbers these are; Chellapilla et al. (2006), High
        performance convolutional neural networks for document processing, section 2.
    """
    return lax.platform_dependent(
        *_floats(images, kernel),
        cpu=partial(_convolution_by_products, strides=strides),
        default=partial(
            lax.conv_general_dilated,
            window_strides=strides,
            padding="SAME",
            dimension_numbers=LAYOUT,
        ),
    )


@partial(jax.jit, static_argnames="strides")
def transposed_convolution(
    images: Real[Array, "batch height width inputs"],
    kernel: Real[Array, "rows columns inputs outputs"],
    *,
    strides: Size = (1, 1),
) -> Float[Array, "batch height_out width_out outputs"]:
    r"""Transposed convolution with "SAME" padding: \(y_{s i + p - k} \mathrel{+}= x_i w_k\).

    Args:
        images: `[batch, height, width, inputs]`.
        kernel: `[rows, columns, inputs, outputs]`; it is not flipped.
        strides: how many times as high and as wide the result is.

    Returns:
        `[batch, height * strides[0], width * strides[1], outputs]`.

    Reference:
        `jax.lax.conv_transpose`, whose numbers these are.
    """
    return lax.platform_dependent(
        *_floats(images, kernel),
        cpu=partial(_transposed_by_products, strides=strides),
        default=partial(
            lax.conv_transpose, strides=strides, padding="SAME", dimension_numbers=LAYOUT
        ),
    )


def _floats(*arrays: Any) -> list[Any]:
    """Arrays of one float type: that of the widest, or float32."""
    with jax.numpy_dtype_promotion("standard"):
        floats = [x.dtype for x in arrays if jnp.issubdtype(x.dtype, jnp.floating)]
        dtype = jnp.result_type(*(floats or [jnp.float32]))
    return [x.astype(dtype) for x in arrays]


def _convolution_by_products(images: Any, kernel: Any, *, strides: Size) -> Any:
    size, (rows, columns, inputs, outputs) = images.shape[1:3], kernel.shape
    wanted = tuple(-(-n // stride) for n, stride in zip(size, strides, strict=True))
    before = [
        max((count - 1) * stride + taps - n, 0) // 2
        for n, count, taps, stride in zip(size, wanted, (rows, columns), strides, strict=True)
    ]
    if strides == (1, 1) and outputs < inputs:  # the smaller of both ways
        offsets = range(before[0], before[0] - rows, -1), range(before[1], before[1] - columns, -1)
        return _added_up(_products(images, kernel), offsets, strides, wanted)
    offsets = range(-before[0], rows - before[0]), range(-before[1], columns - before[1])
    seen = _gathered(images, offsets, strides, wanted)
    return _by_pixel(seen, kernel.reshape(-1, outputs))


def _transposed_by_products(images: Any, kernel: Any, *, strides: Size) -> Any:
    wanted = tuple(n * stride for n, stride in zip(images.shape[1:3], strides, strict=True))
    before = [
        taps - 1 if stride > taps - 1 else -(-(taps + stride - 2) // 2)
        for taps, stride in zip(kernel.shape[:2], strides, strict=True)
    ]
    offsets = [
        range(first, first - taps, -1) for first, taps in zip(before, kernel.shape[:2], strict=True)
    ]
    return _added_up(_products(images, kernel), offsets, strides, wanted)


def _products(images: Any, kernel: Any) -> list[Any]:
    """What each tap of a kernel gives for each pixel, `[batch, height, width, outputs]` each."""
    rows, columns, inputs, _ = kernel.shape
    beside = jnp.transpose(kernel, (2, 0, 1, 3)).reshape(inputs, -1)
    return jnp.split(_by_pixel(images, beside), rows * columns, axis=-1)


def _by_pixel(images: Any, matrix: Any) -> Any:
    """Each pixel's features times a matrix.

    They are rows of one matrix, as XLA would transpose a copy of the images for the gradient of
    `matrix` if they had more axes.
    """
    rows = images.reshape(-1, images.shape[-1])
    return jnp.matmul(rows, matrix).reshape(*images.shape[:-1], matrix.shape[1])


def _gathered(images: Any, offsets: Offsets, strides: Size, wanted: Pixels) -> Any:
    """What each pixel of the result sees, `[batch, *wanted, taps * inputs]`."""
    whole = tuple(-(-n // s) * s for n, s in zip(images.shape[1:3], strides, strict=True))
    parts = _parts(_window(images, (0, 0), whole), strides)
    seen = []
    for offset in product(*offsets):
        start, part = zip(*map(divmod, offset, strides), strict=True)
        seen.append(_window(parts[part], start, wanted))
    return jnp.concatenate(seen, axis=-1)


def _added_up(taps: list[Any], offsets: Offsets, strides: Size, wanted: Pixels) -> Any:
    """The sum of what the taps give, each at its place, `[batch, *wanted, outputs]`."""
    size = tuple(n // stride for n, stride in zip(wanted, strides, strict=True))
    parts: dict[Size, Any] = {}
    for tap, offset in zip(taps, product(*offsets), strict=True):
        shift, part = zip(*map(divmod, offset, strides), strict=True)
        placed = _window(tap, (-shift[0], -shift[1]), size)
        parts[part] = parts[part] + placed if part in parts else placed
    blank = jnp.zeros((taps[0].shape[0], *size, taps[0].shape[3]), taps[0].dtype)
    return _joined(
        [[parts.get((i, j), blank) for j in range(strides[1])] for i in range(strides[0])]
    )


def _window(images: Any, start: Pixels, size: Pixels) -> Any:
    """`size` pixels from `start` on, zeros where there are none."""
    edges = [
        (-first, first + count - n, 0)
        for first, count, n in zip(start, size, images.shape[1:3], strict=True)
    ]
    return lax.pad(images, jnp.zeros((), images.dtype), [(0, 0, 0), *edges, (0, 0, 0)])


def _parts(images: Any, strides: Size) -> dict[Size, Any]:
    """Every so many pixels of images, by the first: `[batch, height / s, width / s, features]`.

    Splits and concatenations are each other's derivative; that of slices would be a long sum.
    """
    batch, height, width, features = images.shape
    down, across = strides
    rows = images.reshape(batch, height // down, down, width // across, across * features)
    parts = {}
    for i, row in enumerate(jnp.split(rows, down, axis=2)):
        for j, part in enumerate(jnp.split(jnp.squeeze(row, 2), across, axis=-1)):
            parts[i, j] = part
    return parts


def _joined(parts: list[list[Any]]) -> Any:
    """Images of what `_parts` gave."""
    rows = [jnp.concatenate(row, axis=-1)[:, :, None] for row in parts]
    beside = jnp.concatenate(rows, axis=2)
    batch, height, down, width, features = beside.shape
    across = len(parts[0])
    return beside.reshape(batch, height * down, width * across, features // across)
