"""What callbacks that watch a metric share."""

import math
from collections.abc import Mapping

MODES = ("min", "max")


def value_of(logs: Mapping[str, float], monitor: str) -> float:
    """The metric that is watched.

    Raises:
        KeyError: the epoch has no such metric.
    """
    if monitor in logs:
        return logs[monitor]
    hint = "; give the run val_data" if monitor.startswith("val_") else ""
    raise KeyError(f"monitor must be one of {', '.join(sorted(logs))}, not {monitor!r}{hint}.")


def worst(mode: str) -> float:
    """What every value is better than."""
    return math.inf if mode == "min" else -math.inf


def is_better(value: float, best: float, mode: str, min_delta: float = 0.0) -> bool:
    """Whether a value is better than the best so far, by more than `min_delta`."""
    return value < best - min_delta if mode == "min" else value > best + min_delta
