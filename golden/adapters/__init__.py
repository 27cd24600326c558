"""Implementations under test, by name. Only a module of this package imports an implementation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from golden.arrays import Array
from golden.case import Case

NAMES = ("edifice_py", "numpy64")


class UnsupportedError(Exception):
    """An implementation has nothing that a case asks for."""


Answer = Callable[[Case], Mapping[str, Array]]
"""The outputs of a case. Raises `UnsupportedError` where there is no such function."""


@dataclass(frozen=True)
class Implementation:
    """Something that answers cases."""

    name: str
    answer: Answer
    versions: Mapping[str, str]
    """What was tested: packages and their versions, the platform."""
    wide: bool = False
    """It answers in float64 whatever the dtype of a case."""


def implementation(name: str) -> Implementation:
    """The implementation of a name of `NAMES`."""
    made: Implementation = import_module(f"golden.adapters.{name}").make()
    return made
