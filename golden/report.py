"""What a person, or a program, reads of a run."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from edifice_terminal import printable
from golden.compare import Difference
from golden.runner import DECLARED, FAILED, PASSED, UNSUPPORTED, OutputVerdict, Run, Verdict


def table(runs: Sequence[Run]) -> str:
    """Operations and dtypes by implementations: cases that hold, and the worst error among them.

    An error is absolute in an output of magnitudes up to 1, and relative to the greatest above.
    """
    rows = [["operation", *(run.implementation.name for run in runs)]]
    for operation, of_runs in by_operation(runs).items():
        rows.append([operation, *map(_cell, of_runs)])
    rows.append(["all", *(total(run.verdicts) for run in runs)])
    lines, rule = _aligned(rows)
    return "\n".join((lines[0], rule, *lines[1:-1], rule, lines[-1]))


def conventions(runs: Sequence[Run]) -> str:
    """Questions by implementations: the convention that each follows, and what those are."""
    rows = [["question", *(run.implementation.name for run in runs)]]
    told: dict[str, list[str]] = {}
    for findings in zip(*(run.findings for run in runs), strict=True):
        question = findings[0].question
        rows.append([question.name, *(finding.name for finding in findings)])
        words = told.setdefault(f"{question.case.group}: {question.asks}", [])
        for run, finding in zip(runs, findings, strict=True):
            if found := finding.convention:
                words.append(f"  {found.name}: {found.formula} ({found.source})")
            elif finding.words:
                name = run.implementation.name
                words.append(f"  {name}, {question.case.name}, {finding.status}: {finding.words}")
    lines, rule = _aligned(rows)
    parts = [part for asks, words in told.items() for part in (asks, *dict.fromkeys(words))]
    parts += [f"{run.implementation.name} FAILED: {c}" for run in runs for c in run.complaints]
    return "\n".join((lines[0], rule, *lines[1:], "", *map(line, parts)))


def details(runs: Iterable[Run]) -> str:
    """Who was tested, the declared deviations that were needed, and every failure."""
    parts = []
    for run in runs:
        name, versions = run.implementation.name, run.implementation.versions
        parts.append(f"{name}: " + ", ".join(f"{what} {which}" for what, which in versions.items()))
        for words, cases in declared(run).items():
            parts.append(f"  declared, {words}")
            parts += [f"    {case}" for case in cases]
        for verdict in run.verdicts:
            if verdict.status == FAILED:
                parts += _failure(verdict)
        parts += [f"  FAILED: {complaint}" for complaint in run.complaints]
    return "\n".join(map(line, parts))


def as_json(runs: Iterable[Run]) -> dict[str, Any]:
    """The whole run as plain data."""
    return {
        "implementations": [
            {
                "name": run.implementation.name,
                "versions": dict(run.implementation.versions),
                "counts": {s: run.count(s) for s in (PASSED, DECLARED, FAILED, UNSUPPORTED)},
                "complaints": list(run.complaints),
                "cases": [_case_json(verdict) for verdict in run.verdicts],
                "conventions": {finding.question.name: finding.name for finding in run.findings},
            }
            for run in runs
        ]
    }


def _aligned(rows: Sequence[Sequence[str]]) -> tuple[list[str], str]:
    """Rows in columns, and a rule between them."""
    rows = [[line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return [line.rstrip() for line in lines], "  ".join("-" * width for width in widths)


def by_operation(runs: Sequence[Run]) -> dict[str, list[list[Verdict]]]:
    """What came of the cases of each operation and dtype, run by run, in the order of the cases."""
    found: dict[str, list[list[Verdict]]] = {}
    for place, run in enumerate(runs):
        for verdict in run.verdicts:
            of_runs = found.setdefault(_operation(verdict), [[] for _ in runs])
            of_runs[place].append(verdict)
    return found


def _operation(verdict: Verdict) -> str:
    case = verdict.case
    # Groups of one name in the records of two systems are two operations.
    name = case.function if case.function.endswith(f".{case.group}") else case.group
    return f"{name} {case.dtype}".rstrip()


def _cell(verdicts: Sequence[Verdict]) -> str:
    counts = total(verdicts)
    errors = [o.difference.max_scaled for v in verdicts for o in v.outputs if o.difference]
    if not errors or any(verdict.error for verdict in verdicts):
        return counts
    return f"{counts}  " + (f"{max(errors):.1e}" if max(errors) else "exact")


def total(verdicts: Sequence[Verdict]) -> str:
    """How many cases hold, of those that are offered."""
    if not verdicts:
        return "not run"
    counts = dict.fromkeys((PASSED, DECLARED, FAILED, UNSUPPORTED), 0)
    for verdict in verdicts:
        counts[verdict.status] += 1
    if counts[UNSUPPORTED] == len(verdicts):
        return "-"
    held, asked = counts[PASSED] + counts[DECLARED], len(verdicts) - counts[UNSUPPORTED]
    text = f"{held}/{asked}"
    if counts[DECLARED]:
        text += f" ({counts[DECLARED]} declared)"
    return f"{text} FAILED" if counts[FAILED] else text


def declared(run: Run) -> dict[str, list[str]]:
    """The kinds and reasons of the deviations that were needed, to the cases that needed each."""
    reasons: dict[str, list[str]] = {}
    for verdict in run.verdicts:
        if verdict.refusal:
            words = f"{verdict.refusal.kind}: {verdict.refusal.reason}"
            reasons.setdefault(words, []).append(f"{verdict.case.id}, refused: {verdict.error}")
        of_case: dict[str, list[OutputVerdict]] = {}
        for output in verdict.outputs:
            if output.status == DECLARED and output.deviation:
                words = f"{output.deviation.kind}: {output.deviation.reason}"
                of_case.setdefault(words, []).append(output)
        for words, outputs in of_case.items():
            reasons.setdefault(words, []).append(_reached(verdict, outputs))
    return reasons


def _reached(verdict: Verdict, outputs: Sequence[OutputVerdict]) -> str:
    names = outputs[0].name if len(outputs) == 1 else f"{len(outputs)} outputs"
    worst = max((o.difference.max_absolute for o in outputs if o.difference), default=math.inf)
    return f"{verdict.case.id} {names}, {worst:.2g} off"


def _failure(verdict: Verdict) -> list[str]:
    lines = [f"  FAILED {verdict.case.address} {verdict.error}".rstrip()]
    for output in verdict.outputs:
        if output.status == FAILED:
            lines.append(f"    {output.name} ({output.kind}): {_words(output.difference)}")
    return lines


def line(text: str) -> str:
    """Text of cases and implementations on one line, in which nothing acts on a terminal."""
    return printable(re.sub(r"\s*\n\s*", " ", text))


def _words(difference: Difference | None) -> str:
    if difference is None:
        return "missing"
    if difference.problem:
        return difference.problem
    return (
        f"off by {difference.max_absolute:.3g}, {ulp(difference.max_ulp)}; worst at "
        f"{list(difference.index or ())}: wanted {difference.wanted!r}, had {difference.had!r}"
    )


def ulp(distance: float) -> str:
    """A distance in units in the last place."""
    return f"{distance:.0f} ulp" if distance < 1e5 else f"{distance:.0e} ulp"


def _case_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "source": verdict.case.source,
        "case": verdict.case.id,
        "function": verdict.case.function,
        "status": verdict.status,
        "error": verdict.error,
        "outputs": [_output_json(output) for output in verdict.outputs],
    }


def _output_json(output: OutputVerdict) -> dict[str, Any]:
    found: dict[str, Any] = {"name": output.name, "status": output.status, "kind": output.kind}
    if output.difference:
        found |= {name: _plain(value) for name, value in vars(output.difference).items()}
    if output.deviation:
        found["reason"] = output.deviation.reason
    return found


def _plain(value: Any) -> Any:
    """JSON has no infinities and no NaN: those become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return list(value) if isinstance(value, tuple) else value
