"""A score: a number, how it was computed, and with which libraries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

LIBRARIES = ("edifice-py", "jax", "numpy", "scikit-learn")


@cache
def library_versions() -> Mapping[str, str]:
    """The versions of the libraries that scores come from, of those that are installed."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Score:
    """A number that can be traced.

    Attributes:
        name: of the metric.
        value: the number.
        options: what the metric was computed with.
        details: its parts, like a value for each factor, as numbers and tuples of them.
        versions: of the libraries that computed it.

    Example:
        >>> float(Score("mig", 0.5, {"bins": 20}))
        0.5
    """

    name: str
    value: float
    options: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=library_versions)

    def __float__(self) -> float:
        """The value."""
        return self.value

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "options": dict(self.options),
            "details": dict(self.details),
            "versions": dict(self.versions),
        }


def numbers(array: Any) -> Any:
    """An array as nested tuples of Python numbers, which can be compared and written as JSON."""
    found = np.asarray(array)
    if found.ndim == 0:
        return found.item()
    return tuple(numbers(row) for row in found)
