"""Cases: what is called, with what, and what comes out of it. They are read from files."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from golden.arrays import Array, name_of


@dataclass(frozen=True)
class Case:
    """One call of one function, and the outputs that the recorded system gave."""

    source: str
    """The name of its file, without suffix."""
    group: str
    name: str
    function: str
    options: Mapping[str, Any]
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    why: str = ""

    @property
    def id(self) -> str:
        """`group/case`, as in the arrays' file."""
        return f"{self.group}/{self.name}"

    @property
    def address(self) -> str:
        """`source:group/case`, which no other case has."""
        return f"{self.source}:{self.id}"

    @property
    def dtype(self) -> str:
        """The narrowest float type among its arrays, or nothing where there is none."""
        arrays = (*self.inputs.values(), *self.outputs.values())
        floats = {array.dtype for array in arrays if array.dtype.kind not in "biu"}
        return name_of(min(floats, key=lambda dtype: dtype.itemsize)) if floats else ""


def is_meant(source: str, identity: str, glob: str) -> bool:
    """Whether a glob is about a case: it matches `group/case`, or `source:group/case`."""
    return fnmatchcase(identity, glob) or fnmatchcase(f"{source}:{identity}", glob)
