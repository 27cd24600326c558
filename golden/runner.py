"""Running cases on implementations: every output of every case gets a verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from golden.adapters import BrokenError, Implementation, StartError, UnsupportedError, words_of
from golden.arrays import Array
from golden.case import Case
from golden.compare import Difference, compare, distances
from golden.deviation import Deviation, find, find_refusal
from golden.survey import Finding
from golden.tolerances import kind_of, tolerance_for

PASSED, DECLARED, FAILED, UNSUPPORTED = "passed", "declared", "failed", "unsupported"
"""Within its tolerance; beyond it, within a declared deviation; neither; not offered."""


@dataclass(frozen=True)
class OutputVerdict:
    """One output of a case."""

    name: str
    status: str
    kind: str
    difference: Difference | None
    """None where the implementation gave no such output."""
    deviation: Deviation | None = None
    share: float = 0.0
    """How much of the deviation's bound it needs; above 1 where it does not keep to it."""
    distances: Array | None = field(default=None, compare=False, repr=False)
    """Of a failed output that could be compared: how far off each element is."""


@dataclass(frozen=True)
class Verdict:
    """One case on one implementation."""

    case: Case
    implementation: str
    status: str
    outputs: tuple[OutputVerdict, ...] = ()
    error: str = ""
    """What the implementation raised, if it did, or what else is wrong; more lines are its own."""
    broken: bool = False
    """It crashed, hung, or gave what is no answer: nothing excuses that."""
    refusal: Deviation | None = None
    """The deviation that declares what it raised."""


@dataclass(frozen=True)
class Run:
    """What came of all cases on one implementation."""

    implementation: Implementation
    verdicts: tuple[Verdict, ...]
    complaints: tuple[str, ...] = ()
    """What is wrong besides cases: sentences, which fail the run."""
    findings: tuple[Finding, ...] = ()
    """Which conventions it follows, where that was asked."""

    @property
    def failed(self) -> bool:
        """Whether a case failed, or something besides."""
        return bool(self.complaints) or self.count(FAILED) > 0

    def count(self, status: str) -> int:
        """How many cases have a status."""
        return sum(verdict.status == status for verdict in self.verdicts)


def run(
    cases: Iterable[Case],
    implementation: Implementation,
    deviations: tuple[Deviation, ...],
    *,
    fail_fast: bool = False,
) -> Run:
    """Ask an implementation for every case. What it raises fails that case, and no other.

    Raises:
        StartError: it cannot be asked any more.
    """
    verdicts: list[Verdict] = []
    for case in cases:
        verdicts.append(_verdict(case, implementation, deviations))
        if fail_fast and verdicts[-1].status == FAILED:
            break
    return Run(implementation, tuple(verdicts))


def _verdict(
    case: Case, implementation: Implementation, deviations: tuple[Deviation, ...]
) -> Verdict:
    try:
        had = implementation.answer(case)
    except UnsupportedError:
        return Verdict(case, implementation.name, UNSUPPORTED)
    except StartError:
        raise
    except BrokenError as error:
        return Verdict(case, implementation.name, FAILED, error=str(error), broken=True)
    except Exception as error:
        # Whatever a tested implementation raises is its answer, and a wrong one.
        words = words_of(error)
        refusal = find_refusal(deviations, case, words)
        status = DECLARED if refusal else FAILED
        return Verdict(case, implementation.name, status, error=words, refusal=refusal)
    outputs = tuple(_output(case, name, had, deviations, implementation) for name in case.outputs)
    statuses = {output.status for output in outputs}
    status = next(s for s in (FAILED, DECLARED, PASSED) if s in statuses or s == PASSED)
    # What a deviation declares may be less than the rounding of tf32.
    full = implementation.products == "f32"
    if status != FAILED and full and (idle := _idle(case, outputs, deviations)):
        words = f"a deviation is declared that is not needed: {' '.join(idle.reason.split())}"
        return Verdict(case, implementation.name, FAILED, outputs, error=words)
    return Verdict(case, implementation.name, status, outputs)


def _idle(
    case: Case, outputs: tuple[OutputVerdict, ...], deviations: tuple[Deviation, ...]
) -> Deviation | None:
    """The first deviation that speaks of a case, and that no output of it needs."""
    needed = [output.deviation for output in outputs if output.status == DECLARED]
    return next(
        (
            deviation
            for deviation in deviations
            if deviation not in needed
            and (
                deviation.covers_case(case)
                if deviation.refused
                else any(deviation.covers(case, name) for name in case.outputs)
            )
        ),
        None,
    )


def _output(
    case: Case,
    name: str,
    had: Mapping[str, Array],
    deviations: tuple[Deviation, ...],
    implementation: Implementation,
) -> OutputVerdict:
    wanted, kind, wide = case.outputs[name], kind_of(case.function, name), implementation.wide
    deviation = find(deviations, case, name)
    if name not in had:
        declared = deviation is not None and deviation.bound == "any"
        return OutputVerdict(name, DECLARED if declared else FAILED, kind, None, deviation)
    given = np.asarray(had[name])
    inputs, products = tuple(case.inputs.values()), implementation.products
    tolerance = tolerance_for(case.function, name, wanted, inputs, products)
    difference = compare(wanted, given, tolerance, wide=wide)
    if difference.within:
        return OutputVerdict(name, PASSED, kind, difference)
    share = deviation.share(wanted, given, wide=wide) if deviation else np.inf
    if share <= 1:
        return OutputVerdict(name, DECLARED, kind, difference, deviation, share)
    off = None if difference.problem else distances(wanted, given)
    return OutputVerdict(name, FAILED, kind, difference, deviation, share, off)
