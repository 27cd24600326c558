"""Declared deviations are held to: one that speaks of nothing, or allows far too much, fails."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from golden.case import is_meant
from golden.compare import Tolerance
from golden.deviation import Deviation
from golden.runner import DECLARED, UNSUPPORTED, Run, Verdict

TOO_LOOSE = 10
"""How many times wider than the worst that it covers a bound may be."""


def complaints(run: Run, deviations: Iterable[Deviation]) -> tuple[str, ...]:
    """What is wrong with deviations in the light of a run of all cases that they may speak of."""
    found = (_complaint(run.verdicts, deviation) for deviation in deviations)
    return tuple(sentence for sentence in found if sentence)


def _complaint(verdicts: Sequence[Verdict], deviation: Deviation) -> str:
    of_function = [v for v in verdicts if fnmatchcase(v.case.function, deviation.function)]
    name = f"the deviation of {deviation.function}"
    if not of_function:
        return f"{name} is of no function that a case has"
    for glob in deviation.case:
        if not any(is_meant(v.case.source, v.case.id, glob) for v in of_function):
            return f"{name} covers {glob}, and no case of it has that name"
    covered = [verdict for verdict in of_function if deviation.covers_case(verdict.case)]
    name += f" in {', '.join(deviation.case)}"
    if not deviation.refused and not any(
        deviation.covers(verdict.case, output)
        for verdict in covered
        for output in verdict.case.outputs
    ):
        return f"{name} covers no output: none of those cases has {', '.join(deviation.output)}"
    if all(verdict.status == UNSUPPORTED for verdict in covered):
        return f"{name} covers only what the implementation does not offer"
    shares = [
        output.share
        for verdict in covered
        for output in verdict.outputs
        if output.deviation == deviation and output.status == DECLARED
    ]
    refused = any(verdict.refusal == deviation for verdict in covered)
    if deviation.needed == "some" and not shares and not refused:
        return f"{name} is needed by none of those cases"
    if isinstance(deviation.bound, Tolerance) and shares and max(shares) < 1 / TOO_LOOSE:
        return (
            f"{name} is more than {TOO_LOOSE} times too wide: the worst that it covers needs "
            f"{max(shares):.2g} of its bound"
        )
    return ""
