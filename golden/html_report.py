"""A run as one page that needs nothing else: no script, no other file."""

import math
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from golden import html_failures, report
from golden.markup import Markup, element, joined
from golden.runner import DECLARED, FAILED, PASSED, UNSUPPORTED, Run, Verdict
from golden.survey import FOLLOWED, NO_ANSWER, Finding

_STYLE = Path(__file__).with_name("report.css")


def page(runs: Sequence[Run], tester: Mapping[str, str]) -> str:
    """The page of some runs.

    Args:
        runs: all of the same cases and questions.
        tester: what held them against the cases, and when, by name.
    """
    title = f"golden: {_outcome(runs)}"
    sections = {
        "Who was tested": _tested(runs),
        "Operations": _operations(runs),
        "Failures": html_failures.of_runs(runs),
        "Declared deviations": _deviations(runs),
        "Conventions": _conventions(runs),
    }
    head = (
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        element("style", Markup(_STYLE.read_text(encoding="utf-8"))),
    )
    body = element(
        "main",
        element("h1", title),
        element(
            "p", ", ".join(f"{what} {which}" for what, which in tester.items()), class_="quiet"
        ),
        element("nav", element("ul", *map(_link, sections)), aria_label="Sections"),
        *(_section(name, *parts) for name, parts in sections.items()),
    )
    document = element("html", element("head", *head), element("body", body), lang="en")
    return f"<!doctype html>\n{document}\n"


def tester() -> dict[str, str]:
    """Who holds implementations against cases: this program, here and now."""
    return {
        "on": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "by Python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


def _outcome(runs: Sequence[Run]) -> str:
    failed = sum(run.count(FAILED) + len(run.complaints) for run in runs)
    if failed:
        return f"{failed} failure{'s' if failed > 1 else ''}"
    held = sum(run.count(PASSED) + run.count(DECLARED) for run in runs)
    return f"all {held} cases hold"


def _tested(runs: Sequence[Run]) -> list[Markup]:
    cards = []
    for run in runs:
        versions = run.implementation.versions.items()
        facts = [
            joined(element("dt", what), element("dd", which))
            for what, which in (*versions, *_counts(run))
        ]
        name = element("h3", run.implementation.name)
        cards.append(element("div", name, element("dl", *facts), class_="card"))
    return [element("div", *cards, class_="cards")]


def _counts(run: Run) -> list[tuple[str, str]]:
    names = {PASSED: "hold", DECLARED: "declared", FAILED: "failed", UNSUPPORTED: "not offered"}
    return [(name, str(run.count(status))) for status, name in names.items()]


def _operations(runs: Sequence[Run]) -> list[Markup]:
    rows = [
        (joined(operation), [_held(verdicts) for verdicts in of_runs], "")
        for operation, of_runs in report.by_operation(runs).items()
    ]
    rows.append((joined("all"), [_held(run.verdicts) for run in runs], "all"))
    words = (
        "How many cases hold, of those that an implementation offers, and the greatest error "
        "among their outputs, in units in the last place (ulp) of the wanted type."
    )
    names = [run.implementation.name for run in runs]
    return [element("p", words), _table("operation", names, rows)]


def _held(verdicts: Sequence[Verdict]) -> Markup:
    text = report.total(verdicts)
    if text in ("-", "not run"):
        return element("span", text.replace("-", "not offered"), class_="quiet")
    failed = any(verdict.status == FAILED for verdict in verdicts)
    count = element("span", text, class_="bad" if failed else "good")
    errors = [o.difference.max_ulp for v in verdicts for o in v.outputs if o.difference]
    return joined(count, " ", element("span", _worst(errors), class_="number")) if errors else count


def _worst(errors: Sequence[float]) -> str:
    worst = max(errors)
    if math.isinf(worst):
        return "not comparable"
    return report.ulp(worst) if worst else "exact"


def _deviations(runs: Sequence[Run]) -> list[Markup]:
    parts: list[Markup] = []
    for run in runs:
        reasons = report.declared(run)
        if reasons:
            parts.append(element("h3", run.implementation.name))
        for words, cases in reasons.items():
            count = f"{len(cases)} case{'s' if len(cases) > 1 else ''}"
            listed = element("ul", *(element("li", case) for case in cases))
            told = element("details", element("summary", count), listed)
            parts.append(element("div", element("p", words), told))
    return parts or [element("p", "None was needed.")]


def _conventions(runs: Sequence[Run]) -> list[Markup]:
    rows = [
        (_asked(findings[0]), [*map(_follows, findings)], "")
        for findings in zip(*(run.findings for run in runs), strict=True)
    ]
    words = element(
        "p",
        "Where libraries differ and none is wrong. ",
        element("code", "golden beta"),
        " converts a weight of the KL from one to another.",
    )
    return [words, _table("quantity", [run.implementation.name for run in runs], rows)]


def _asked(finding: Finding) -> Markup:
    question = finding.question
    name = f"{question.case.group} ({question.case.name})"
    return joined(name, " ", element("span", question.asks, class_="quiet told"))


def _follows(finding: Finding) -> Markup:
    kinds = {FOLLOWED: "", NO_ANSWER: "bad"}
    name = element("span", finding.name, class_=kinds.get(finding.status, "quiet"))
    told = finding.convention.formula if finding.convention else finding.words
    return joined(name, " ", element("span", told, class_="quiet told")) if told else name


def _table(
    corner: str, names: Sequence[str], rows: Sequence[tuple[Markup, Sequence[Markup], str]]
) -> Markup:
    """A table, whose rows are cards where there is no room; roles, since cards lose them."""
    columns = [element("th", name, scope="col", role="columnheader") for name in (corner, *names)]
    head = element("thead", element("tr", *columns, role="row"), role="rowgroup")
    lines = []
    for label, cells, kind in rows:
        found = [
            element("td", element("div", cell), role="cell", data_of=name)
            for name, cell in zip(names, cells, strict=True)
        ]
        first = element("th", label, scope="row", role="rowheader")
        lines.append(element("tr", first, *found, role="row", class_=kind))
    return element("table", head, element("tbody", *lines, role="rowgroup"), role="table")


def _section(title: str, *parts: Markup) -> Markup:
    return element("section", element("h2", title, id=_anchor(title)), *parts)


def _link(title: str) -> Markup:
    return element("li", element("a", title, href=f"#{_anchor(title)}"))


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
