"""Known deviations of an implementation: which outputs, why, and how far at most.

A deviation covers cases and outputs of them. It is held to: in each case that it covers, one of
the outputs must need it, or the case must be refused where it says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import yaml

from golden.arrays import Array, dtype_of
from golden.case import Case, is_meant
from golden.compare import EXACT, Tolerance, compare
from golden.tolerances import precision_of

_FOLDER = Path(__file__).parent / "deviations"

KINDS = ("upstream bug", "convention", "precision")
"""The recorded system is wrong; it follows another document; it rounds otherwise."""


@dataclass(frozen=True)
class Deviation:
    """Outputs that differ from what was recorded, or a case that is refused, on purpose."""

    function: str
    """A glob over functions."""
    kind: str
    """One of `KINDS`."""
    reason: str
    case: str = "*"
    """A glob over `group/case`, or over `source:group/case`."""
    output: tuple[str, ...] = ("*",)
    """Globs over names of outputs."""
    dtype: str = "*"
    """The dtype that says how exact the output can be: `tolerances.precision_of`."""
    bound: Tolerance | str = ""
    """What the outputs must keep to all the same: a tolerance, "shape" for shape, dtype
    and being finite, or "any" for outputs that may be of another shape, or not there."""
    refused: str = ""
    """A glob over what is raised, where there are no outputs."""

    def covers_case(self, case: Case) -> bool:
        """Whether this speaks of a case."""
        meant = is_meant(case.source, case.id, self.case)
        return meant and fnmatchcase(case.function, self.function)

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

    def holds(self, wanted: Array, had: Array, *, wide: bool) -> bool:
        """Whether an output keeps to the bound."""
        if isinstance(self.bound, Tolerance):
            return compare(wanted, had, self.bound, wide=wide).within
        if self.bound == "any":
            return True
        alike = not compare(wanted, had, EXACT, wide=wide).problem
        return alike and bool(np.all(np.isfinite(had) | ~np.isfinite(wanted)))


def deviations_of(implementation: str, folder: Path = _FOLDER) -> tuple[Deviation, ...]:
    """The declared deviations of an implementation; none where it has no file.

    Raises:
        ValueError: the file says something that a deviation does not have.
    """
    file = folder / f"{implementation}.yaml"
    entries = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
    return tuple(
        _deviation(file.name, {**entry, "case": case})
        for entry in (entries or {}).get("deviations", ())
        for case in _listed(entry.get("case", "*"))
    )


def find(deviations: Iterable[Deviation], case: Case, output: str) -> Deviation | None:
    """The first deviation that covers an output of a case."""
    return next((d for d in deviations if d.covers(case, output)), None)


def find_refusal(deviations: Iterable[Deviation], case: Case, words: str) -> Deviation | None:
    """The first deviation that says that a case is refused with these words."""
    refusals = (d for d in deviations if d.refused and d.covers_case(case))
    return next((d for d in refusals if fnmatchcase(words, d.refused)), None)


def _listed(globs: object) -> list[object]:
    return globs if isinstance(globs, list) else [globs]


def _deviation(file: str, entry: dict[str, object]) -> Deviation:
    values = {**entry, "output": tuple(_listed(entry.get("output", "*")))}
    bound = values.get("bound", "")
    try:
        if isinstance(bound, dict):
            values["bound"] = Tolerance(**bound)
        elif bound not in ("shape", "any") and not (values.get("refused") and not bound):
            raise ValueError("needs a bound, which is a tolerance, 'shape' or 'any', or refused")
        found = Deviation(**values)  # type: ignore[arg-type]
        if found.dtype != "*":
            dtype_of(found.dtype)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{file}: {entry}: {error}") from error
    if found.kind not in KINDS or not found.reason:
        raise ValueError(f"{file}: {entry}: needs a reason and a kind of {', '.join(KINDS)}")
    return found
