"""Known deviations of an implementation: which outputs, why, and how far at most.

A deviation covers cases and outputs of them. It is held to: in each case that it covers, one of
the outputs must need it, or the case must be refused where it says so. `golden.strict` says what
else a run of all cases shows.
"""

import math
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from golden.arrays import Array, dtype_of
from golden.case import Case, is_meant
from golden.compare import EXACT, Tolerance, compare
from golden.document import UnreadableError, mapping_of, read_yaml, sentence
from golden.tolerances import precision_of

_FOLDER = Path(__file__).parent / "deviations"

KINDS = ("upstream bug", "convention", "precision")
"""The recorded system is wrong; it follows another document; it rounds otherwise."""

_WORDS = ("type", "finite", "shape", "any")

_CHOICES = {"type": ("same", "any"), "needed": ("each", "some")}


@dataclass(frozen=True)
class Deviation:
    """Outputs that differ from what was recorded, or a case that is refused, on purpose."""

    function: str
    """A glob over functions."""
    kind: str
    """One of `KINDS`."""
    reason: str
    case: tuple[str, ...] = ("*",)
    """Globs over `group/case`, or over `source:group/case`."""
    output: tuple[str, ...] = ("*",)
    """Globs over names of outputs."""
    dtype: str = "*"
    """The dtype that says how exact the output can be: `tolerances.precision_of`."""
    bound: Tolerance | str = ""
    """What the outputs must keep to all the same: a tolerance; "type" for the case's own tolerance
    in another float type; "finite" for that tolerance, and for finite numbers where NaN or
    infinities were recorded; "shape" for shape, dtype and being finite; or "any" for outputs that
    may be of another shape, or not there."""
    refused: str = ""
    """A glob over what is raised, where there are no outputs."""
    type: str = "same"
    """Whether numbers within the bound may be of "any" float type."""
    needed: str = "each"
    """Whether each case that it covers needs it, or "some": where data decide what rounds."""

    def covers_case(self, case: Case) -> bool:
        """Whether this speaks of a case."""
        return fnmatchcase(case.function, self.function) and any(
            is_meant(case.source, case.id, glob) for glob in self.case
        )

    def covers(self, case: Case, output: str) -> bool:
        """Whether this speaks of an output of a case."""
        return (
            not self.refused
            and self.covers_case(case)
            and any(fnmatchcase(output, glob) for glob in self.output)
            and fnmatchcase(
                precision_of(case.outputs[output], tuple(case.inputs.values())), self.dtype
            )
        )

    def share(self, wanted: Array, had: Array, tolerance: Tolerance, *, wide: bool) -> float:
        """How much of the bound an output needs: above 1 where it does not keep to it.

        A bound without a number is needed as a whole, or not kept to.

        Args:
            wanted: the recorded output.
            had: the output of an implementation.
            tolerance: what is allowed without a deviation.
            wide: accept float64 where a narrower float is wanted.
        """
        if isinstance(self.bound, Tolerance):
            difference = compare(wanted, had, self.bound, wide=wide or self.type == "any")
            return difference.share if difference.within else math.inf
        if self.bound == "type":
            return 1.0 if compare(wanted, had, tolerance, wide=True).within else math.inf
        if self.bound == "finite" and wanted.shape == had.shape:
            known = np.where(np.isfinite(wanted), had, wanted).astype(had.dtype)
            keeps = compare(wanted, known, tolerance, wide=wide).within
            keeps = keeps and bool(np.isfinite(had).all())
            return 1.0 if keeps else math.inf
        if self.bound == "any":
            return 1.0
        alike = not compare(wanted, had, EXACT, wide=wide).problem
        keeps = alike and bool(np.all(np.isfinite(had) | ~np.isfinite(wanted)))
        return 1.0 if keeps else math.inf


def deviations_of(implementation: str, folder: Path = _FOLDER) -> tuple[Deviation, ...]:
    """The declared deviations of an implementation; none where it has no file.

    Raises:
        UnreadableError: the file says something that a deviation does not have.
    """
    # The name may be a stranger's: it is looked for among the files, and never made a path.
    files = [file for file in folder.glob("*.yaml") if file.stem == implementation]
    return read_deviations(files[0]) if files else ()


def read_deviations(file: Path) -> tuple[Deviation, ...]:
    """The deviations that a file declares.

    Raises:
        UnreadableError: it cannot be read, or says something that a deviation does not have.
    """
    entries = mapping_of(read_yaml(file)).get("deviations")
    if not isinstance(entries, list):
        raise UnreadableError(f"{file}: there is no list of `deviations` in it")
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_deviation(entry))
        except (TypeError, ValueError) as error:
            raise UnreadableError(f"{file}: deviation {number}: {sentence(error)}") from error
    return tuple(found)


def find(deviations: Iterable[Deviation], case: Case, output: str) -> list[Deviation]:
    """The deviations that cover an output of a case, in their order."""
    return [deviation for deviation in deviations if deviation.covers(case, output)]


def find_refusal(deviations: Iterable[Deviation], case: Case, words: str) -> Deviation | None:
    """The first deviation that says that a case is refused with these words."""
    refusals = (d for d in deviations if d.refused and d.covers_case(case))
    return next((d for d in refusals if fnmatchcase(words, d.refused)), None)


def _deviation(entry: object) -> Deviation:
    known = [field.name for field in fields(Deviation)]
    if not isinstance(entry, dict) or not set(entry) <= set(known):
        raise ValueError(f"{reprlib.repr(entry)} has not only {', '.join(known)}")
    values: dict[str, Any] = {
        name: value for name, value in entry.items() if name not in ("case", "output")
    }
    for name, value in values.items():
        if name != "bound" and not isinstance(value, str):
            raise ValueError(f"{name} must be a string, not {reprlib.repr(value)}")
    if values.get("kind") not in KINDS:
        given = reprlib.repr(values.get("kind"))
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {given}")
    if not values.get("function") or not values.get("reason"):
        raise ValueError("needs a function and a reason")
    for name, allowed in _CHOICES.items():
        if name in values and values[name] not in allowed:
            given = reprlib.repr(values[name])
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {given}")
    if values.get("dtype", "*") != "*":
        dtype_of(values["dtype"])
    if bool(values.get("refused")) == ("bound" in values):
        raise ValueError("needs either a bound or refused")
    if "bound" in values:
        values["bound"] = _bound(values["bound"])
    values |= {name: _globs(name, entry[name]) for name in ("case", "output") if name in entry}
    return Deviation(**values)


def _bound(value: object) -> Tolerance | str:
    if value in _WORDS:
        return str(value)
    names = [field.name for field in fields(Tolerance)]
    if not isinstance(value, dict) or not value or not set(value) <= set(names):
        given = reprlib.repr(value)
        raise ValueError(
            f"bound must be {', '.join(_WORDS)}, or of {', '.join(names)}, not {given}"
        )
    for name, number in value.items():
        if type(number) not in (int, float) or not 0 <= number < math.inf:
            given = reprlib.repr(number)
            raise ValueError(f"bound: {name} must be a number from 0, like 1.0e-3, not {given}")
    return Tolerance(**value)


def _globs(name: str, value: object) -> tuple[str, ...]:
    globs = value if isinstance(value, list) else [value]
    if not globs or not all(isinstance(glob, str) for glob in globs):
        raise ValueError(f"{name} must be a glob or a list of globs, not {reprlib.repr(value)}")
    return tuple(globs)
