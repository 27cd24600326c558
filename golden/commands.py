"""What each command of `python -m golden` does. Each gives its exit code."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from golden import adapters, baseline, convention, exchange, pool, quick, report, runner, strict
from golden.case import Case
from golden.conversion import Sizes, convert
from golden.deviation import Deviation, deviations_of, read_deviations
from golden.document import UnreadableError
from golden.html_report import page, tester
from golden.lint import lint as findings_in
from golden.loader import SHIPPED, load
from golden.remote import Remote
from golden.serve import own_stdout
from golden.serve import serve as answer_requests
from golden.survey import NO_ANSWER, NOT_OFFERED, survey

HELD, FAILED, UNREADABLE = 0, 1, 2
"""Everything held; a case failed, or a file has findings; nothing could be read or asked."""

_Declared = Callable[[str], tuple[Deviation, ...]]


def check(options: argparse.Namespace) -> int:
    """Hold implementations against cases."""
    cases = _cases(options)
    declared = _declared(options)
    questions = convention.load() if options.html else ()
    runs = list(_runs(options, cases, declared, questions))
    if all(run.count(runner.UNSUPPORTED) == len(cases) for run in runs):
        functions = ", ".join(sorted({case.function for case in cases})[:3])
        raise UnreadableError(f"no implementation has any of {functions}")
    if options.filter == "*" and _strict(options):
        runs = [_held_to(run, declared, len(cases)) for run in runs]
    print(report.table(runs))
    print()
    print(report.details(runs))
    if options.json:
        text = json.dumps(report.as_json(runs), indent=1, allow_nan=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.html:
        options.html.write_text(page(runs, tester()), encoding="utf-8")
    return FAILED if any(run.failed for run in runs) else HELD


def conventions(options: argparse.Namespace) -> int:
    """Tell which conventions implementations follow."""
    runs = list(_runs(options, (), lambda _: (), convention.load()))
    statuses = [{finding.status for finding in run.findings} for run in runs]
    if all(of_run == {NOT_OFFERED} for of_run in statuses):
        raise UnreadableError("no implementation offers any function convention.*")
    print(report.conventions(runs))
    broken = any(NO_ANSWER in of_run for of_run in statuses)
    return FAILED if broken or any(run.complaints for run in runs) else HELD


def beta(options: argparse.Namespace) -> int:
    """Convert a beta from one convention to another."""
    sizes = Sizes(options.features, options.latent, options.batch)
    try:
        found = convert(options.beta, options.source, options.target, sizes)
    except ValueError as error:
        raise UnreadableError(str(error)) from error
    print(f"{found.beta:.12g}")
    print(f"beta {options.beta:g} of {options.source} is beta {found.beta:g} of {options.target}.")
    if found.scale is not None:
        print(f"The second loss is {found.scale:g} times the first.")
    return HELD


def draft(options: argparse.Namespace) -> int:
    """Draft the deviations of one implementation."""
    _one(options, "golden baseline")
    (run,) = _runs(options, _cases(options), lambda _: (), ())
    print(baseline.draft(run), end="")
    broken = any(verdict.broken for verdict in run.verdicts)
    return FAILED if broken or run.complaints else HELD


def list_cases(options: argparse.Namespace) -> int:
    """List cases."""
    for case in _cases(options):
        print(report.line(f"{case.address}  {case.function}  {case.why}".rstrip()))
    return HELD


def lint(options: argparse.Namespace) -> int:
    """Find what is wrong with files of cases."""
    findings = findings_in(options.place)
    for finding in findings:
        print(report.line(str(finding)))
    return FAILED if findings else HELD


def serve(options: argparse.Namespace) -> int:
    """Answer the protocol on stdin and stdout."""
    answers = own_stdout()
    with quick.compilation():
        answer_requests(adapters.implementation(options.name), sys.stdin.buffer, answers)
    return HELD


def export(options: argparse.Namespace) -> int:
    """Write cases into a file, as requests."""
    cases = _cases(options)
    if options.conventions:
        cases += [question.case for question in convention.load()]
    exchange.export(cases, options.cases)
    return HELD


def answer(options: argparse.Namespace) -> int:
    """Answer the requests of a file in another."""
    with quick.compilation():
        exchange.answer(adapters.implementation(options.name), options.cases, options.answers)
    return HELD


def _cases(options: argparse.Namespace) -> list[Case]:
    cases = load(_folders(options), options.filter)
    if not cases:
        raise UnreadableError(f"no case matches {options.filter!r}")
    return cases


def _folders(options: argparse.Namespace) -> tuple[Path, ...]:
    return tuple(options.fixtures) if options.fixtures else SHIPPED


def _declared(options: argparse.Namespace) -> _Declared:
    if not options.deviations:
        return deviations_of
    _one(options, "--deviations")
    own = read_deviations(options.deviations)
    return lambda _: own


def _strict(options: argparse.Namespace) -> bool:
    """Whether deviations are held to being needed: ours speak of the shipped cases alone."""
    return bool(options.deviations) or not options.fixtures


def _one(options: argparse.Namespace, what: str) -> None:
    """Refuse more than one implementation, or none, where one is meant."""
    asked = [*options.implementation, *options.command, *options.answers]
    if len(asked) != 1:
        raise UnreadableError(
            f"{what} is for one --implementation, --command or --answers, not {len(asked)}"
        )


def _runs(
    options: argparse.Namespace,
    cases: Sequence[Case],
    declared: _Declared,
    questions: Sequence[convention.Question],
) -> Iterator[runner.Run]:
    """A run for each implementation that the options name; for all of ours where they name none."""

    def run(implementation: adapters.Implementation) -> runner.Run:
        deviations = declared(implementation.name)
        of_cases = runner.run(
            cases,
            implementation,
            deviations,
            fail_fast=options.fail_fast,
            strict=_strict(options),
        )
        return replace(of_cases, findings=survey(implementation, questions))

    ours = [] if options.command or options.answers else adapters.NAMES
    of_questions = [question.case for question in questions]
    names = options.implementation or ours
    # Several processes begin with all cases: one that stops at a failure begins nothing ahead.
    processes = options.processes or (1 if options.fail_fast else None)
    with pool.asked(names, [*cases, *of_questions], processes) as implementations:
        yield from map(run, implementations)
    for command in options.command:
        with Remote(command, options.time_limit) as remote:
            asked = run(remote.implementation)
            wrong = remote.finish()
        yield replace(asked, complaints=(f"the process {wrong}",)) if wrong else asked
    answerable = [question.case for question in convention.load()] if options.answers else []
    for file in options.answers:
        yield run(exchange.answered(file, [*load(_folders(options)), *answerable]))


def _held_to(run: runner.Run, declared: _Declared, cases: int) -> runner.Run:
    """A run with what it shows of deviations, where it was not stopped early."""
    if len(run.verdicts) < cases:
        return run
    found = strict.complaints(run, declared(run.implementation.name))
    return replace(run, complaints=run.complaints + found)
