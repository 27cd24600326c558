"""Images in rows and columns, with labels beside and above them."""

from collections.abc import Sequence
from math import ceil
from typing import Any

from artifex_compat.data.extras import extra_module
from artifex_compat.evaluation.arrays import Array
from artifex_compat.pictures.style import TICK_SIZE, WIDTH, Figure, new_figure

LARGEST = 0.8
"""Inches that an image is wide at most."""
GAP = 0.06
"""Between images, in their width."""
LINE, MARGIN, PAD = 0.16, 0.07, 0.05
"""What a line of text takes, what is left free around all of it, and between a label and its
image; in inches."""


def draw_grid(
    images: Array, columns: int, *, beside: Sequence[str] = (), above: Sequence[str] = ()
) -> Figure:
    """A figure of images, row by row.

    Args:
        images: `[n, height, width]` or `[n, height, width, 3]`, in [0, 1].
        columns: how many stand side by side.
        beside: a label for each row, or none at all.
        above: a label for each column, or none at all. Where they are too long for all of them,
            every second or third is there.
    """
    rows, height = ceil(len(images) / columns), images.shape[1] / images.shape[2]
    left = MARGIN + (_inches(beside) + PAD if beside else 0)
    top = MARGIN + (LINE + PAD if above else 0)
    cell = min(LARGEST, (WIDTH - left - MARGIN) / columns)  # an image and the gap beside it
    image = cell / (1 + GAP)
    wide, tall = columns * (1 + GAP) - GAP, rows * (height + GAP) - GAP  # in widths of an image
    size = left + wide * image + MARGIN, top + tall * image + MARGIN
    figure = new_figure(*size, layout="none")
    place = left / size[0], MARGIN / size[1], wide * image / size[0], tall * image / size[1]
    axes = figure.add_axes(place)
    for index, shown in enumerate(images):
        row, column = divmod(index, columns)
        x, y = column * (1 + GAP), row * (height + GAP)
        show(axes, shown, extent=(x, x + 1, y + height, y))
    axes.set(xlim=(0, wide), ylim=(tall, 0))
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=72 * PAD)
    some = range(0, len(above), ceil((_inches(above) + PAD) / cell))
    axes.set_xticks([i * (1 + GAP) + 0.5 for i in some], [above[i] for i in some])
    some = range(0, len(beside), ceil(LINE / (image * (height + GAP))))
    axes.set_yticks([i * (height + GAP) + height / 2 for i in some], [beside[i] for i in some])
    return figure


def show(axes: Any, image: Array, **options: Any) -> None:
    """Show an image in [0, 1] without a frame."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest", **options)
    axes.set(frame_on=False)


def _inches(labels: Sequence[str]) -> float:
    """The width of the longest label; a small number where there is none."""
    path = extra_module("matplotlib.textpath", "matplotlib", "a label").TextPath
    widths = [path((0, 0), label, size=TICK_SIZE).get_extents().width for label in labels if label]
    return max(widths, default=1) / 72
