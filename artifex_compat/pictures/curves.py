"""How a run of training went."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from artifex_compat.data.extras import extra_module
from artifex_compat.pictures.style import (
    COLOURS,
    FAINT,
    INK,
    WIDTH,
    Figure,
    legend_above,
    new_figure,
    styled,
)

History = Sequence[Mapping[str, Any]]
FEW = 20
"""Epochs that are marked one by one."""
WIDE = 30
"""Where the largest value of a loss is as many times the smallest, its scale is logarithmic."""
BESIDE = COLOURS[3]


class Panel(NamedTuple):
    """A part of the figure.

    Attributes:
        title: above it.
        terms: names in a row of the history, and what they are called.
        beside: the same, on a scale of its own at the right; the first that is there.
        target: the same, for what the terms are held to; on their scale.
        from_zero: whether the scale begins at 0.
    """

    title: str
    terms: Mapping[str, str]
    beside: Mapping[str, str]
    target: Mapping[str, str]
    from_zero: bool


PANELS = (
    Panel("Loss", {"loss": "loss", "recon_loss": "reconstruction"}, {}, {}, False),
    Panel(
        "KL (nats)",
        {"kl_loss": "KL"},
        {"kl_weight": "KL weight", "beta": "beta"},
        {"current_capacity": "capacity"},
        True,
    ),
    Panel("Codebook", {"vq_loss": "VQ loss"}, {"perplexity": "perplexity"}, {}, True),
)


@styled
def loss_curves(history: History) -> Figure:
    """The terms of the loss, epoch by epoch, of training and, dashed, of validation.

    The loss with the reconstruction; the KL, with its weight beside it, or with the capacity that
    it is held to; and for a VQ-VAE the loss of the codebook, with the perplexity beside it. What is
    not in the history is not in the figure.

    Args:
        history: `Trainer.history`, or rows of its kind: `epoch`, `loss`, `val_loss`, ....

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: there is no row, or no loss in any.
        ImportError: matplotlib is not installed.
    """
    there = {name for row in history for name in row}
    panels = [panel for panel in PANELS if there & _with_validation(panel.terms)]
    if not panels or "epoch" not in there:
        raise ValueError(
            "history must be rows with an epoch and a loss, at least one, as of Trainer.history, "
            f"and has {', '.join(sorted(there)) or 'nothing'}."
        )
    figure = new_figure(WIDTH, 0.3 + 2.1 * len(panels))
    stacked = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(stacked, panels, strict=True):
        _draw(axes, panel, history)
    stacked[-1].set_xlabel("epoch")
    if len(history) == 1:
        stacked[-1].set_xlim(history[0]["epoch"] - 1, history[0]["epoch"] + 1)
    stacked[-1].xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    return figure


def _draw(axes: Any, panel: Panel, history: History) -> None:
    lines, validated = [], False
    for colour, (name, label) in zip(COLOURS, panel.terms.items(), strict=False):
        lines += _line(axes, history, name, label, color=colour)
        other = {"ls": "--", "marker": _mark(history, "x"), "markersize": 5}
        dashed = _line(axes, history, f"val_{name}", f"{label}, validation", color=colour, **other)
        validated = validated or bool(dashed)
    for name, label in panel.target.items():
        lines += _line(axes, history, name, label, color=FAINT, ls=":")
    _scale(axes, panel)
    there = [name for name in panel.beside if any(name in row for row in history)]
    for name in there[:1]:
        right = axes.twinx()
        lines += _line(right, history, name, panel.beside[name], color=BESIDE, ls="-.")
        _from_zero(right)
        right.spines["right"].set_visible(True)
        right.tick_params(axis="y", labelcolor=BESIDE)
    if validated:
        line = extra_module("matplotlib.lines", "matplotlib", "a legend").Line2D
        lines.append(
            line([], [], color=INK, ls="--", label="validation", marker=_mark(history, "x"))
        )
    axes.grid(visible=True)
    legend_above(axes, lines)


def _scale(axes: Any, panel: Panel) -> None:
    """A scale on which all of the lines can be read."""
    values = _values(axes)
    axes.set_title(panel.title)
    if panel.from_zero:
        _from_zero(axes)
    elif min(values) > 0 and max(values) > WIDE * min(values):
        axes.set_yscale("log")
        axes.set_title(f"{panel.title} (log)")


def _from_zero(axes: Any) -> None:
    axes.set_ylim(0, 1.08 * max(_values(axes)) or 1.0)


def _values(axes: Any) -> list[float]:
    return [value for line in axes.get_lines() for value in line.get_ydata()]


def _line(axes: Any, history: History, name: str, label: str, **style: Any) -> list[Any]:
    """A line of a metric over the epochs that have it; nothing where none has."""
    points = [(row["epoch"], row[name]) for row in history if name in row]
    if not points:
        return []
    shown = {"marker": _mark(history, "."), "label": label, "clip_on": False} | style
    return axes.plot(*zip(*points, strict=True), **shown)


def _mark(history: History, marker: str) -> str:
    return marker if len(history) <= FEW else ""


def _with_validation(terms: Mapping[str, str]) -> set[str]:
    return {*terms, *(f"val_{name}" for name in terms)}
