"""The outlines of sprites: which pixels of an image are within one."""

from collections.abc import Callable

import numpy as np

from artifex_compat.data.files import Array

Inside = Callable[[Array, Array], Array]


def _square(u: Array, v: Array) -> Array:
    return np.maximum(np.abs(u), np.abs(v)) <= np.sqrt(0.5)


def _ellipse(u: Array, v: Array) -> Array:
    return u**2 + (v / 0.6) ** 2 <= 1


def _heart(u: Array, v: Array) -> Array:
    # The curve (x² + y² - 1)³ = x² y³, moved and shrunk into the unit circle, its tip down.
    x, y = 1.35 * u, 0.12 - 1.35 * v
    return (x**2 + y**2 - 1) ** 3 <= x**2 * y**3


OUTLINES: dict[str, Inside] = {"square": _square, "ellipse": _ellipse, "heart": _heart}
"""Whether a point `(u, v)` is inside; every shape is within the unit circle and about as large."""


def drawn(name: str, radius: Array, angle: Array, x: Array, y: Array, size: int) -> Array:
    """Images of one shape, bool `[n, size, size]`: rows go down, columns to the right.

    Args:
        name: of the shape.
        radius: of the circle around it, in widths of the image, `[n]`.
        angle: by which it is turned clockwise, in radians, `[n]`.
        x: of its centre from the left, in widths of the image, `[n]`.
        y: of its centre from the top, likewise.
        size: height and width of an image, in pixels.
    """
    centres = (np.arange(size) + 0.5) / size
    right = (centres - x[:, None]) / radius[:, None]
    down = (centres - y[:, None]) / radius[:, None]
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    u = (cosine * right)[:, None, :] + (sine * down)[:, :, None]
    v = (cosine * down)[:, :, None] - (sine * right)[:, None, :]
    return OUTLINES[name](u, v)
