"""Images that a model made up."""

from math import ceil, sqrt

from artifex_compat.evaluation.arrays import Array
from artifex_compat.pictures.grid import draw_grid
from artifex_compat.pictures.images import images_of
from artifex_compat.pictures.style import Figure, styled
from edifice_py.checks import positive_int

MOST_COLUMNS = 10


@styled
def sample_grid(images: Array, *, columns: int | None = None) -> Figure:
    """Images in rows, all of the same length but the last.

    Args:
        images: `[n, height, width]`, with 1 or 3 channels or none, in [0, 1]; or flat ones of a
            square number of pixels.
        columns: how many stand side by side; as many as rows where not given, 10 at most.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        TypeError: they are no array of numbers.
        ValueError: their shape does not fit, a number is not finite, or `columns` is not positive.
        ImportError: matplotlib is not installed.
    """
    found = images_of("images", images)
    square = min(ceil(sqrt(len(found))), MOST_COLUMNS)
    wanted = square if columns is None else positive_int("columns", columns)
    return draw_grid(found, min(wanted, len(found)))
