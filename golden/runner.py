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
    strict: bool = True,
) -> Run:
    """Ask an implementation for every case. What it raises fails that case, and no other.

    Args:
        cases: what to ask.
        implementation: whom to ask.
        deviations: where it differs on purpose.
        fail_fast: stop after the first case that fails.
        strict: fail a case that a deviation covers, and that needs it nowhere.

    Raises:
        StartError: it cannot be asked any more.
    """
    verdicts: list[Verdict] = []
    for case in cases:
        verdicts.append(_verdict(case, implementation, deviations, strict=strict))
        if fail_fast and verdicts[-1].status == FAILED:
            break
    return Run(implementation, tuple(verdicts))


def _verdict(
    case: Case,
    implementation: Implementation,
    deviations: tuple[Deviation, ...],
    *,
    strict: bool,
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
    strict = strict and implementation.products == "f32"
    if status != FAILED and strict and (idle := _idle(case, outputs, deviations)):
        words = f"a deviation is declared that is not needed: {' '.join(idle.reason.split())}"
        return Verdict(case, implementation.name, FAILED, outputs, error=words)
    return Verdict(case, implementation.name, status, outputs)


def _idle(
    case: Case, outputs: tuple[OutputVerdict, ...], deviations: tuple[Deviation, ...]
) -> Deviation | None:
    """The first deviation that each case it covers should need, and that no output of this does."""
    needed = [output.deviation for output in outputs if output.status == DECLARED]
    return next(
        (
            deviation
            for deviation in deviations
            if deviation.needed == "each"
            and deviation not in needed
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
    covering = find(deviations, case, name)
    if name not in had:
        excuse = next((d for d in covering if d.bound == "any"), None)
        return OutputVerdict(name, DECLARED if excuse else FAILED, kind, None, excuse)
    given = np.asarray(had[name])
    inputs, products = tuple(case.inputs.values()), implementation.products
    tolerance = tolerance_for(case.function, name, wanted, inputs, products)
    difference = compare(wanted, given, tolerance, wide=wide)
    if difference.within:
        return OutputVerdict(name, PASSED, kind, difference)
    # The first that it keeps to; where there is none, the first is told.
    shares = [(d, d.share(wanted, given, tolerance, wide=wide)) for d in covering]
    kept = (pair for pair in shares if pair[1] <= 1)
    deviation, share = next(kept, shares[0] if shares else (None, np.inf))
    if share <= 1:
        return OutputVerdict(name, DECLARED, kind, difference, deviation, share)
    off = None if difference.problem else distances(wanted, given)
    return OutputVerdict(name, FAILED, kind, difference, deviation, share, off)
