"""Where a model puts examples."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from artifex_compat.data.extras import extra_module
from artifex_compat.evaluation.arrays import Array, check_finite, latents_of
from artifex_compat.pictures.style import COLOURS, WIDTH, Figure, new_figure, styled
from edifice_py.checks import array, integer


@styled
def latent_scatter(
    latents: Array,
    labels: Array | None = None,
    *,
    dims: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> Figure:
    """Examples as points, at two of their latents.

    Args:
        latents: posterior means, `[n, latent]`, at least two latents.
        labels: numbers `[n]` or `[n, 1]` that colour the points: up to ten different ones are
            classes with a legend, more a scale with a colour bar.
        dims: the latent across and the latent up, from 0; the two of the largest variance where
            not given.
        names: of the labels 0, 1, and so on, for the legend, like the `value_names` of `Examples`;
            the numbers where not given.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: a shape does not fit, a number is not finite, `dims` are no two latents, or a
            label has no name among `names`.
        ImportError: matplotlib is not installed.
    """
    z = latents_of(latents, least=2)
    variances = z.var(axis=0)
    across, up = _two(variances, dims)
    values = None if labels is None else _labels(labels, len(z))
    figure = new_figure(WIDTH, 0.78 * WIDTH)
    axes = figure.subplots()
    points = {"s": float(np.clip(6000 / len(z), 2, 24)), "alpha": 0.8, "linewidths": 0}
    x, y = z[:, across], z[:, up]
    legend = _legend_names(values, names)
    classes, which = np.unique(values if values is not None else [0], return_inverse=True)
    if values is None:
        axes.scatter(x, y, color=COLOURS[0], **points)
    elif len(classes) <= len(COLOURS):
        axes.scatter(x, y, c=[COLOURS[index] for index in which], **points)
        _legend(figure, [legend.get(value, f"{value:g}") for value in classes])
    else:
        drawn = axes.scatter(x, y, c=values, cmap="viridis", **points)
        figure.colorbar(drawn, ax=axes, label="label", aspect=30).outline.set_visible(False)
    axes.set_xlabel(f"z{across}, variance {variances[across]:.2g}")
    axes.set_ylabel(f"z{up}, variance {variances[up]:.2g}")
    axes.grid(visible=True)
    return figure


def _legend_names(values: Array | None, names: Sequence[str] | None) -> dict[float, str]:
    """The name of each label that has one."""
    found = dict(enumerate(names or ()))
    if names is not None and (values is None or not set(values.tolist()) <= found.keys()):
        raise ValueError(
            f"names must name all labels, from 0 to {len(found) - 1} for {len(found)} of them."
        )
    return {float(value): name for value, name in found.items()}


def _legend(figure: Figure, classes: list[str]) -> None:
    """One dot for each class, beside the points."""
    line = extra_module("matplotlib.lines", "matplotlib", "a legend").Line2D
    style = {"linestyle": "", "marker": "o", "markersize": 5}
    dots = [line([], [], color=colour, **style) for colour in COLOURS[: len(classes)]]
    figure.legend(dots, classes, loc="outside right upper")


def _two(variances: Array, dims: Sequence[int] | None) -> tuple[int, int]:
    if dims is None:
        first, second = np.argsort(-variances, kind="stable")[:2]
        return int(first), int(second)
    numbers = [integer(dim) for dim in dims]
    found = [n for n in numbers if n is not None and 0 <= n < len(variances)]
    if len(numbers) != 2 or len(found) != 2:
        raise ValueError(
            f"dims must be two numbers of latents, from 0 to {len(variances) - 1}, not {dims!r}."
        )
    return found[0], found[1]


def _labels(labels: Any, count: int) -> Array:
    found = np.asarray(array("labels", labels))
    if found.shape not in ((count,), (count, 1)):
        raise ValueError(
            f"labels must be [{count}], one for each row of latents, not {list(found.shape)}."
        )
    check_finite("labels", found)
    return found.reshape(-1).astype(np.float64)
