"""Ratios of times that are measured in turn, so that a machine that drifts moves both alike."""

from collections.abc import Callable
from statistics import median


def compare(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> str:
    """Time two things A B A B ...; the medians in seconds, and the median and range of A / B."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    ratios = sorted(a / b for a, b in pairs)
    a, b = (median(times) for times in zip(*pairs, strict=True))
    return f"{a:.3g} s / {b:.3g} s = {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
