"""Images beside what a model made of them."""

import numpy as np

from artifex_compat.evaluation.arrays import Array
from artifex_compat.pictures.grid import draw_grid
from artifex_compat.pictures.images import images_of
from artifex_compat.pictures.style import Figure, styled
from edifice_py.checks import positive_int, same_shape


@styled
def reconstruction_grid(inputs: Array, reconstructions: Array, *, count: int = 10) -> Figure:
    """Images in a row, and their reconstructions below them.

    Args:
        inputs: images `[n, height, width]`, with 1 or 3 channels or none, in [0, 1]; or flat ones
            of a square number of pixels.
        reconstructions: as many, of the same size.
        count: how many are shown, the first ones; all where there are fewer.

    Returns:
        A `matplotlib.figure.Figure`, whose `savefig` writes it.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: a shape does not fit, a number is not finite, or `count` is not positive.
        ImportError: matplotlib is not installed.
    """
    shown = positive_int("count", count)
    above = images_of("inputs", inputs)
    below = images_of("reconstructions", reconstructions)
    same_shape(inputs=above, reconstructions=below)
    columns = min(shown, len(above))
    both = np.concatenate([above[:shown], below[:shown]])
    return draw_grid(both, columns, beside=("input", "output"))
