"""Walks in the latent space: what one latent moves, and what lies between two examples."""

from collections.abc import Sequence
from typing import Any

from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.traversals import latent_traversals, values_of
from artifex_compat.pictures.grid import draw_grid, show
from artifex_compat.pictures.images import images_of
from artifex_compat.pictures.style import Figure, new_figure, styled

TITLED = 0.72
"""Inches that an image with a title like z[12]=-3.0 takes."""


@styled
def traversal_grid(
    images: Array,
    values: Sequence[float] | Array,
    *,
    dims: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> Figure:
    """A row for each latent, a column for each value that it is moved to.

    Args:
        images: as `latent_traversals` gives them, `[dims, values, height, width]`, with 1 or 3
            channels or none, in [0, 1]; or flat ones of a square number of pixels.
        values: what each latent was set to, written above the columns.
        dims: the numbers of the latents, from 0 on where not given; rows are called z0, z1, ....
        names: what rows are called in place of that, like "z3, 1.2 nats".

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        TypeError: the images are no array of numbers.
        ValueError: a shape does not fit, or there are more or fewer values, numbers or names than
            images.
        ImportError: matplotlib is not installed.
    """
    found = images_of("images", images, 2)
    rows, columns = found.shape[:2]
    above = value_labels(values_of(values))
    beside = [f"z{dim}" for dim in (range(rows) if dims is None else dims)]
    _as_many("values", above, columns, "column")
    _as_many("dims", beside, rows, "row")
    if names is not None:
        beside = [*names]
        _as_many("names", beside, rows, "row")
    return draw_grid(found.reshape(-1, *found.shape[2:]), columns, beside=beside, above=above)


@styled
def interpolation_strips(images: Array) -> Figure:
    """A row for each pair of examples, from the first on the left to the second on the right.

    Args:
        images: as `latent_interpolations` gives them, `[pairs, steps, height, width]`, with 1 or 3
            channels or none, in [0, 1]; or flat ones of a square number of pixels.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        TypeError: they are no array of numbers.
        ValueError: their shape does not fit, or a number is not finite.
        ImportError: matplotlib is not installed.
    """
    found = images_of("images", images, 2)
    return draw_grid(found.reshape(-1, *found.shape[2:]), found.shape[1])


@styled
def visualize_latent_traversals(
    model: Any, z_base: Array, dim: int, values: Any = None, *, condition: Any = None
) -> Figure:
    """What a model decodes while one latent runs over some values, in one row.

    Args:
        model: a VAE of any kind but a VQ-VAE, for images of 1 or 3 channels or none, or flat ones
            of a square number of pixels.
        z_base: where the other latents stay, `[latent]` or `[1, latent]`, of numpy or JAX.
        dim: which latent is moved, from 0.
        values: what it is set to; 11 values from -3 to 3 where not given.
        condition: for a conditional model, one label, or one row `[1, width]`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        TypeError: `z_base` is no array of numbers.
        ValueError: a shape does not fit, a number is not finite, there is no such latent, the model
            is a VQ-VAE, or what it decodes is no image.
        ImportError: matplotlib is not installed.

    Reference:
        Advanced VAE Examples, "Latent Traversal Visualization". Differs from the page, whose code
        cannot run: it sets a number of a JAX array in place. All images have one scale, from 0 to
        1, where the page's have each its own, and nothing is left open in pyplot.
    """
    steps = values_of(values)
    decoded = latent_traversals(model, z_base, dims=[dim], values=steps, condition=condition)
    images = images_of("what the model decodes", decoded[0])
    figure = new_figure(TITLED * len(steps), TITLED * images.shape[1] / images.shape[2] + 0.5)
    panels = figure.subplots(1, len(steps), squeeze=False)[0]
    for axes, image, label in zip(panels, images, value_labels(steps), strict=True):
        show(axes, image)
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"z[{dim}]={label}", loc="center", fontsize=7.5)
    figure.suptitle(f"Latent Dimension {dim} Traversal")
    return figure


def value_labels(values: Array) -> list[str]:
    """Numbers with one decimal, or with as many as tell them apart, at most three."""
    texts = [[f"{value:.{decimals}f}" for value in values] for decimals in (1, 2, 3)]
    return max(texts, key=lambda labels: len(set(labels)))


def _as_many(name: str, given: Sequence[str], count: int, of: str) -> None:
    if len(given) != count:
        raise ValueError(f"{name} must be {count}, one for each {of} of images, not {len(given)}.")
