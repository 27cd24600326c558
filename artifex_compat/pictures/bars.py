"""Bars: the KL of each latent, and how often each code is used."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from artifex_compat.evaluation.arrays import Array, latent_number
from artifex_compat.pictures.numbers import amounts
from artifex_compat.pictures.style import (
    COLOURS,
    FAINT,
    WIDTH,
    Figure,
    legend_above,
    new_figure,
    styled,
)
from edifice_py.core import quantize

HEIGHT = 2.6
MOST_NUMBERED = 20
"""Latents that are all numbered below their bars; of more only some are."""
FEWEST_PLACES = 6
"""Bars that there is room for at least, so that two are not as wide as walls."""
MOST_SEPARATE = 64
"""Bars that have room between them."""


@styled
def kl_bars(kl: Sequence[float] | Array, *, collapsed: Sequence[int] = ()) -> Figure:
    """The KL of each latent, in their order, so that a bar is found by its number.

    Args:
        kl: in nats, `[latent]`, like `details["per_dimension"]` of `kl_per_dimension`.
        collapsed: the numbers of latents that are marked, like those of `collapsed_dimensions`:
            their bars may be too low to be seen.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: they are no list of numbers from 0 on, or a number of `collapsed` is none of a
            latent.
        ImportError: matplotlib is not installed.
    """
    heights = amounts("kl", kl)
    marked = [latent_number("collapsed", number, len(heights)) for number in collapsed]
    figure = new_figure(WIDTH, HEIGHT)
    axes = figure.subplots()
    _bars(axes, heights)
    if marked:
        style: dict[str, Any] = {
            "color": COLOURS[1],
            "linestyle": "",
            "marker": "x",
            "markersize": 5,
            "clip_on": False,
            "zorder": 3,
            "label": "collapsed",
        }
        legend_above(axes, axes.plot(marked, heights[marked], **style))
    axes.set_title(
        f"KL {heights.sum():.1f} nats, {len(marked)} of {len(heights)} latents collapsed"
    )
    axes.set(xlabel="latent", ylabel="KL (nats)")
    if len(heights) <= MOST_NUMBERED:
        axes.set_xticks(range(len(heights)))
    else:
        axes.locator_params(axis="x", integer=True)
    return figure


@styled
def codebook_bars(counts: Sequence[int] | Array) -> Figure:
    """How often each code is used, the most used first.

    Args:
        counts: how often, `[codes]`, like `details["counts"]` of `codebook_usage`.

    Returns:
        A `matplotlib.figure.Figure`; its title says the perplexity, and how many codes are dead.

    Raises:
        ValueError: they are no list of numbers from 0 on, or all of them are 0.
        ImportError: matplotlib is not installed.
    """
    heights = np.sort(amounts("counts", counts))[::-1]
    if not heights.any():
        raise ValueError("counts must have a code that is used, and all of them are 0.")
    perplexity = float(quantize.perplexity(jnp.asarray(heights, jnp.float32)))
    figure = new_figure(WIDTH, HEIGHT)
    axes = figure.subplots()
    _bars(axes, heights)
    even: dict[str, Any] = {"color": FAINT, "linestyle": "--", "linewidth": 1, "label": "even use"}
    legend_above(axes, [axes.axhline(heights.mean(), **even)])
    axes.set_title(
        f"perplexity {perplexity:.1f} of {len(heights)} codes, {(heights == 0).sum()} dead"
    )
    axes.set(xlabel="codes, the most used first", ylabel="times used")
    axes.locator_params(integer=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    return figure


def _bars(axes: Any, heights: Array) -> None:
    count = len(heights)
    if count <= MOST_SEPARATE:
        axes.bar(range(count), heights, width=0.8, color=COLOURS[0])
    else:
        axes.stairs(heights, np.arange(count + 1) - 0.5, fill=True, color=COLOURS[0])
    spare = max(0, FEWEST_PLACES - count) / 2
    axes.set_xlim(-0.6 - spare, count - 0.4 + spare)
    axes.set_ylim(0, 1.08 * heights.max() or 1.0)
    axes.grid(visible=True, axis="y")
    axes.tick_params(axis="x", length=0, pad=6)
