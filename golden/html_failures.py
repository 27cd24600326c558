"""The part of a page that tells every failure, with pictures of what is off."""

from collections.abc import Iterator, Sequence

from golden import report
from golden.heat import picture
from golden.markup import Markup, element
from golden.runner import FAILED, OutputVerdict, Run, Verdict

_FEWEST = 2


def of_runs(runs: Sequence[Run]) -> list[Markup]:
    """Every failure of some runs, by implementation."""
    return [part for run in runs for part in _of_run(run)] or [element("p", "None.")]


def _of_run(run: Run) -> Iterator[Markup]:
    failed = [verdict for verdict in run.verdicts if verdict.status == FAILED]
    if failed or run.complaints:
        yield element("h3", run.implementation.name)
    for complaint in run.complaints:
        yield element("div", element("p", complaint), class_="failure")
    for verdict in failed:
        yield _of_case(verdict)


def _of_case(verdict: Verdict) -> Markup:
    case = verdict.case
    parts = [element("h4", case.address)]
    if case.why:
        parts.append(element("p", case.why, class_="quiet"))
    if verdict.error:
        parts.append(element("p", verdict.error, class_="bad"))
    parts += [_of_output(output) for output in verdict.outputs if output.status == FAILED]
    return element("article", *parts, class_="failure")


def _of_output(output: OutputVerdict) -> Markup:
    name, difference = element("code", output.name), output.difference
    if difference is None or difference.problem:
        words = difference.problem if difference else "missing"
        return element("div", element("p", name, " ", words), class_="output")
    facts = {
        "off by": f"{difference.max_absolute:.3g}, {report.ulp(difference.max_ulp)}",
        "worst at": str(list(difference.index or ())),
        "wanted": repr(difference.wanted),
        "had": repr(difference.had),
    }
    rows = [
        part
        for what, which in facts.items()
        for part in (element("dt", what), element("dd", which, class_="number"))
    ]
    parts = [element("p", name, f" ({output.kind})"), element("dl", *rows)]
    if output.distances is not None and output.distances.size >= _FEWEST:
        off, size = int((output.distances > 0).sum()), output.distances.size
        about = f"{off} of {size} elements are off, by at most {difference.max_absolute:.3g}"
        legend = f"{about}; the stronger the farther, on a logarithmic scale."
        parts += [picture(output.distances, about), element("p", legend, class_="quiet")]
    return element("div", *parts, class_="output")
