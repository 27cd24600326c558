"""A picture of how far each element of an array is off, as SVG."""

import math

import numpy as np

from golden.arrays import Array
from golden.markup import Markup, element

MOST_ROWS, MOST_COLUMNS = 16, 64
LEVELS = 8
_SIDE = 10


def picture(distances: Array, about: str) -> Markup:
    """Cells in the array's order, its last axis from left to right, the stronger the farther off.

    Cells of neighbours are one where there are more than 16 rows or 64 columns, and show the worst
    of them. An element that is not off is an empty cell.

    Args:
        distances: how far off each element is, of any shape with elements.
        about: what the picture is of, for those who do not see it.
    """
    cells = _cells(distances)
    rows, columns = cells.shape
    levels = _levels(cells)
    layers = [
        element("path", d=_squares(levels == level), class_=f"heat-{level}")
        for level in range(1, LEVELS + 1)
        if (levels == level).any()
    ]
    return element(
        "svg",
        element("title", about),
        element("rect", width=str(columns), height=str(rows), class_="heat-0"),
        *layers,
        viewBox=f"0 0 {columns} {rows}",
        width=str(columns * _SIDE),
        height=str(rows * _SIDE),
        role="img",
        class_="heat",
    )


def _cells(distances: Array) -> Array:
    """The array as at most 16 rows of at most 64 columns, each cell the worst of its elements."""
    table = (
        distances.reshape(-1, distances.shape[-1]) if distances.ndim else distances.reshape(1, 1)
    )
    for axis, most in enumerate((MOST_ROWS, MOST_COLUMNS)):
        together = math.ceil(table.shape[axis] / most)
        table = np.maximum.reduceat(table, np.arange(0, table.shape[axis], together), axis=axis)
    return table


def _levels(cells: Array) -> Array:
    """0 for nothing, 1 to 8 by the logarithm of a distance, infinite ones at 8."""
    finite = cells[np.isfinite(cells) & (cells > 0)]
    if not finite.size:
        return np.where(cells > 0, LEVELS, 0)
    with np.errstate(divide="ignore", over="ignore"):
        least, most = np.log(finite.min()), np.log(finite.max())
        place = (np.log(cells) - least) / max(most - least, 1.0) if most > least else cells * 0 + 1
    place = np.where(np.isnan(place), 1.0, np.clip(place, 0, 1))
    return np.where(cells > 0, 1 + np.round(place * (LEVELS - 1)), 0).astype(int)


def _squares(chosen: Array) -> str:
    """The outline of all chosen cells."""
    return "".join(f"M{column} {row}h1v1h-1z" for row, column in np.argwhere(chosen))
