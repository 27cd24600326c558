"""The one style of all pictures, which the user's own settings have no part in."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeAlias

from artifex_compat.data.extras import extra_module

P = ParamSpec("P")
Figure: TypeAlias = Any
"""A `matplotlib.figure.Figure`; matplotlib is imported only where one is made."""

COLOURS = (
    "#3f90da",
    "#bd1f01",
    "#ffa90e",
    "#832db6",
    "#94a4a2",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""Ten colours that people with any colour vision tell apart.

Petroff (2021), Accessible Color Sequences for Data Visualization; in another order, so that the
first two differ most."""

INK, FAINT = "#26282b", "#8a8f96"
TICK_SIZE = 9
"""Points of a number beside an axis, and of a label beside an image."""
WIDTH = 5.6
"""Inches. At 150 dots an inch that is 840 pixels; text of 10 points still reads where a telephone
shows them on 360."""

_SETTINGS = {
    "figure.dpi": 150,
    "figure.facecolor": "white",
    "figure.titlesize": 10.5,
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.w_pad": 0.07,
    "savefig.facecolor": "auto",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.facecolor": "white",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "normal",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": "#e4e6e9",
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": TICK_SIZE,
    "ytick.labelsize": TICK_SIZE,
    "legend.fontsize": TICK_SIZE,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "image.interpolation": "nearest",
    "image.cmap": "gray",
}


def styled(picture: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function that draws in the style, and leaves matplotlib's settings as they are."""

    @wraps(picture)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        matplotlib = extra_module("matplotlib", "matplotlib", f"{picture.__name__}()")
        with matplotlib.rc_context(_SETTINGS):
            return picture(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float, layout: str = "constrained") -> Figure:
    """An empty figure, which pyplot knows nothing of: nothing is shown, and nothing stays behind.

    Args:
        width: in inches.
        height: in inches.
        layout: "none" where the axes are placed by hand.
    """
    module = extra_module("matplotlib.figure", "matplotlib", "a picture")
    return module.Figure(figsize=(width, height), layout=layout)


def legend_above(axes: Any, lines: Sequence[Any]) -> None:
    """A legend in one line with the title, where it covers nothing."""
    place = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.0}
    axes.legend(handles=lines, ncols=len(lines), columnspacing=1.2, handlelength=1.8, **place)
