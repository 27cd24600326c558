"""Known deviations of an implementation: which outputs, why, and how far at most.

A deviation covers cases and outputs of them. It is held to: in each case that it covers, one of
the outputs must need it, or the case must be refused where it says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from golden.arrays import Array, dtype_of
from golden.case import Case
from golden.compare import Tolerance, compare
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
    output: str = "*"
    """A glob over names of outputs."""
    dtype: str = "*"
    """The dtype that says how exact the output can be: `tolerances.precision_of`."""
    bound: Tolerance | None = None
    """What the outputs must keep to all the same; with None, to shape and dtype."""
    refused: str = ""
    """A glob over what is raised, where there are no outputs."""

    def covers_case(self, case: Case) -> bool:
        """Whether this speaks of a case."""
        return fnmatchcase(case.function, self.function) and (
            fnmatchcase(case.id, self.case) or fnmatchcase(f"{case.source}:{case.id}", self.case)
        )

    def covers(self, case: Case, output: str) -> bool:
        """Whether this speaks of an output of a case."""
        return (
            not self.refused
            and self.covers_case(case)
            and fnmatchcase(output, self.output)
            and fnmatchcase(
                precision_of(case.outputs[output], tuple(case.inputs.values())), self.dtype
            )
        )

    def holds(self, wanted: Array, had: Array, *, wide: bool) -> bool:
        """Whether an output keeps to the bound."""
        difference = compare(wanted, had, self.bound or Tolerance(), wide=wide)
        return difference.within if self.bound else not difference.problem


def deviations_of(implementation: str, folder: Path = _FOLDER) -> tuple[Deviation, ...]:
    """The declared deviations of an implementation; none where it has no file.

    Raises:
        ValueError: the file says something that a deviation does not have.
    """
    file = folder / f"{implementation}.yaml"
    entries = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
    return tuple(_deviation(file.name, entry) for entry in (entries or {}).get("deviations", ()))


def find(deviations: Iterable[Deviation], case: Case, output: str) -> Deviation | None:
    """The first deviation that covers an output of a case."""
    return next((d for d in deviations if d.covers(case, output)), None)


def find_refusal(deviations: Iterable[Deviation], case: Case, words: str) -> Deviation | None:
    """The first deviation that says that a case is refused with these words."""
    refusals = (d for d in deviations if d.refused and d.covers_case(case))
    return next((d for d in refusals if fnmatchcase(words, d.refused)), None)


def _deviation(file: str, entry: dict[str, object]) -> Deviation:
    values = dict(entry)
    try:
        bound = values.get("bound")
        if (bound is None) != ("refused" in values):
            raise ValueError("needs either a bound or refused")
        values["bound"] = Tolerance(**bound) if isinstance(bound, dict) else None
        found = Deviation(**values)  # type: ignore[arg-type]
        if found.dtype != "*":
            dtype_of(found.dtype)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{file}: {entry}: {error}") from error
    if bound is not None and not isinstance(bound, dict) and bound != "shape":
        raise ValueError(f"{file}: {entry}: bound must be a tolerance, or 'shape', not {bound!r}")
    if found.kind not in KINDS or not found.reason:
        raise ValueError(f"{file}: {entry}: needs a reason and a kind of {', '.join(KINDS)}")
    return found
