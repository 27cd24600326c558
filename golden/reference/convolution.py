"""Convolutions of images in float64, tap by tap."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from golden.arrays import Array

_Link = tuple[int, int, int]
"""Along one axis: a pixel of the result, one of the images, and the tap of the kernel between."""


def convolution(images: Array, kernel: Array, strides: Sequence[int] = (1, 1)) -> Array:
    """Each pixel of the result from those around every stride-th one; zeros around the images."""
    return _value(images, kernel, strides, _seen)


def convolution_grad_images(images: Array, kernel: Array, strides: Sequence[int] = (1, 1)) -> Array:
    """The gradient of its sum by the images."""
    return _by_images(images, kernel, strides, _seen)


def convolution_grad_kernel(images: Array, kernel: Array, strides: Sequence[int] = (1, 1)) -> Array:
    """The gradient of its sum by the kernel."""
    return _by_kernel(images, kernel, strides, _seen)


def transposed_convolution(images: Array, kernel: Array, strides: Sequence[int] = (1, 1)) -> Array:
    """Each pixel of the images to those around every stride-th one of the result."""
    return _value(images, kernel, strides, _spread)


def transposed_convolution_grad_images(
    images: Array, kernel: Array, strides: Sequence[int] = (1, 1)
) -> Array:
    """The gradient of its sum by the images."""
    return _by_images(images, kernel, strides, _spread)


def transposed_convolution_grad_kernel(
    images: Array, kernel: Array, strides: Sequence[int] = (1, 1)
) -> Array:
    """The gradient of its sum by the kernel."""
    return _by_kernel(images, kernel, strides, _spread)


def _seen(pixels: int, taps: int, stride: int) -> tuple[int, list[_Link]]:
    """Pixels of the result, and its links: "SAME" padding, the smaller half of it in front."""
    wanted = -(-pixels // stride)
    front = max((wanted - 1) * stride + taps - pixels, 0) // 2
    links = [(o, stride * o + tap - front, tap) for o in range(wanted) for tap in range(taps)]
    return wanted, [link for link in links if 0 <= link[1] < pixels]


def _spread(pixels: int, taps: int, stride: int) -> tuple[int, list[_Link]]:
    """The same, for "SAME" padding of the images with stride - 1 zeros between their pixels."""
    wanted = pixels * stride
    front = taps - 1 if stride > taps - 1 else -(-(taps + stride - 2) // 2)
    links = [(stride * i + front - tap, i, tap) for i in range(pixels) for tap in range(taps)]
    return wanted, [link for link in links if 0 <= link[0] < wanted]


_Axis = Callable[[int, int, int], tuple[int, list[_Link]]]


def _axes(
    images: Array, kernel: Array, strides: Sequence[int], axis: _Axis
) -> list[tuple[int, list[_Link]]]:
    return [axis(*each) for each in zip(images.shape[1:3], kernel.shape[:2], strides, strict=True)]


def _value(images: Array, kernel: Array, strides: Sequence[int], axis: _Axis) -> Array:
    (height, down), (width, across) = _axes(images, kernel, strides, axis)
    result = np.zeros((len(images), height, width, kernel.shape[3]))
    for (o, i, row), (p, j, column) in product(down, across):
        result[:, o, p] += images[:, i, j] @ kernel[row, column]
    return result


def _by_images(images: Array, kernel: Array, strides: Sequence[int], axis: _Axis) -> Array:
    (_, down), (_, across) = _axes(images, kernel, strides, axis)
    result = np.zeros(images.shape)
    for (_, i, row), (_, j, column) in product(down, across):
        result[:, i, j] += kernel[row, column].sum(axis=1)
    return result


def _by_kernel(images: Array, kernel: Array, strides: Sequence[int], axis: _Axis) -> Array:
    (_, down), (_, across) = _axes(images, kernel, strides, axis)
    result = np.zeros(kernel.shape)
    for (_, i, row), (_, j, column) in product(down, across):
        result[row, column] += images[:, i, j].sum(axis=0)[:, None]
    return result
