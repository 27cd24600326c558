"""Known deviations of an implementation: which outputs, why, and how far at most."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from golden.arrays import dtype_of
from golden.case import Case
from golden.compare import Tolerance
from golden.tolerances import precision_of

_FOLDER = Path(__file__).parent / "deviations"

KINDS = ("upstream bug", "convention", "precision")
"""The recorded system is wrong; it follows another document; it rounds otherwise."""


@dataclass(frozen=True)
class Deviation:
    """Outputs that differ from what was recorded, on purpose."""

    function: str
    """A glob over functions."""
    output: str
    """A glob over names of outputs."""
    dtype: str
    """The dtype that says how exact the output can be: `tolerances.precision_of`."""
    kind: str
    """One of `KINDS`."""
    reason: str
    bound: Tolerance
    """What the outputs must keep to all the same."""
    case: str = "*"
    """A glob over `group/case`."""

    def covers(self, case: Case, output: str) -> bool:
        """Whether this speaks of an output of a case."""
        return (
            fnmatchcase(case.function, self.function)
            and fnmatchcase(case.id, self.case)
            and fnmatchcase(output, self.output)
            and precision_of(case.outputs[output], tuple(case.inputs.values())) == self.dtype
        )


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


def _deviation(file: str, entry: dict[str, object]) -> Deviation:
    try:
        values = {**entry, "bound": Tolerance(**entry["bound"])}  # type: ignore[arg-type]
        found = Deviation(**values)  # type: ignore[arg-type]
        dtype_of(found.dtype)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{file}: {entry}: {error}") from error
    if found.kind not in KINDS or not found.reason:
        raise ValueError(f"{file}: {entry}: needs a reason and a kind of {', '.join(KINDS)}")
    return found
