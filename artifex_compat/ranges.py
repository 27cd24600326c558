"""What a loss and a decoder's output need of the range of the data, in sentences that help."""

import warnings
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

OUTPUT_RANGES = {
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
    "hard_tanh": (-1, 1),
    "softsign": (-1, 1),
    "relu": (0, inf),
    "relu6": (0, 6),
    "softplus": (0, inf),
}
"""What output activations reach; those that are not here reach every number."""

SLACK = 1e-3
"""Data may be so far out of the range of an output, which is rounding."""

PICTURE_CHANNELS = (1, 3)


@dataclass(frozen=True)
class Range:
    """The smallest and the largest number of some data, but for NaNs, and their type."""

    low: float
    high: float
    dtype: Any

    @classmethod
    def of(cls, values: Any) -> "Range":
        """That of an array of numpy with at least one number."""
        ends = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
        return cls(float(ends[0]), float(ends[1]), values.dtype)

    def __str__(self) -> str:
        """For a sentence."""
        return f"from {self.low:g} to {self.high:g}"

    @property
    def white(self) -> int | None:
        """The largest number of pixels of 8 or 16 bits, None for data of another type."""
        is_pixel = self.dtype.kind == "u" and self.dtype.itemsize <= 2
        return int(np.iinfo(self.dtype).max) if is_pixel and self.high > 1 else None


def loss_refusal(data: Range, loss_type: str | None) -> str | None:
    """Why data cannot be trained on with a loss; None where they can."""
    if loss_type == "bce" and not 0 <= data.low <= data.high <= 1 and data.low <= data.high:
        return f"the data must lie in [0, 1] for loss_type 'bce', not {data}; {_advice(data)}."
    if data.white:
        return f"the data must be floats, not {data.dtype} {data}; {_advice(data)}."
    return None


def output_refusal(loss_type: str | None, output: str | None) -> str | None:
    """Why a loss cannot be taken of a decoder's output; None where it can.

    Args:
        loss_type: "bce" is of probabilities.
        output: the output activation, None where it is not known.
    """
    if loss_type != "bce" or output in (None, "sigmoid"):
        return None
    return (
        "output_activation must be 'sigmoid' for loss_type 'bce', which is of probabilities, "
        f"not {output!r}; or use loss_type 'mse'."
    )


def output_mismatch(data: Range, output: str | None) -> str | None:
    """Why a decoder's output cannot reach data; None where it can, or is not known."""
    low, high = OUTPUT_RANGES.get(output or "", (-inf, inf))
    if not (data.low < low - SLACK or data.high > high + SLACK):
        return None
    pixels = "; pixels are divided by 255" if data.low >= 0 and data.high <= 255 else ""
    return (
        f"output_activation {output!r} reaches [{low:g}, {high:g}] only, and the data lie {data}: "
        f"use 'linear', or rescale them{pixels}."
    )


def warn_of_channels_first(shape: tuple[int, ...]) -> None:
    """Warn of pictures `[n, ...]` that seem to have their channels first."""
    if len(shape) == 4 and shape[1] in PICTURE_CHANNELS and shape[3] not in PICTURE_CHANNELS:
        warnings.warn(
            f"the data have the shape [n, {shape[1]}, {shape[2]}, {shape[3]}], which is read as "
            f"pictures of height {shape[1]} with {shape[3]} channels; if they are "
            "[n, channels, height, width], give numpy.moveaxis(x, 1, -1).",
            stacklevel=1,  # one place for all callers: a run warns once
        )


def _advice(data: Range) -> str:
    if data.white:
        return f"divide them by {data.white}"
    if data.low < 0 and -1 <= data.low <= data.high <= 1:
        return (
            "rescale them, or use loss_type 'mse' with output_activation 'tanh'; "
            "(x + 1) / 2 brings [-1, 1] to [0, 1]"
        )
    if data.low >= 0 and 128 <= data.high <= 255:
        return (
            "divide pixels by 255, or use loss_type 'mse' with output_activation 'linear' for "
            "other numbers"
        )
    return "rescale them, or use loss_type 'mse' with output_activation 'linear'"
