"""The command line: `python -m golden check` and `python -m golden list`."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from golden import adapters, report, runner
from golden.case import Case
from golden.deviation import deviations_of
from golden.loader import SHIPPED, UnreadableError, load

UNREADABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, 1 where a case failed, or 2 where none could be asked."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if getattr(options, "json", None) and not options.json.parent.is_dir():
        parser.error(f"--json {options.json}: there is no folder {options.json.parent}")
    folders = tuple(options.fixtures) if options.fixtures else SHIPPED
    try:
        cases = load(folders, options.filter)
    except UnreadableError as error:
        print(f"golden: {error}", file=sys.stderr)
        return UNREADABLE
    if not cases:
        print(f"golden: no case matches {options.filter!r}", file=sys.stderr)
        return UNREADABLE
    code: int = options.command(options, cases)
    return code


def _check(options: argparse.Namespace, cases: Sequence[Case]) -> int:
    runs = [
        runner.run(
            cases,
            adapters.implementation(name),
            deviations_of(name),
            fail_fast=options.fail_fast,
        )
        for name in options.implementation or adapters.NAMES
    ]
    if all(run.count(runner.UNSUPPORTED) == len(cases) for run in runs):
        functions = ", ".join(sorted({case.function for case in cases})[:3])
        print(f"golden: no implementation has any of {functions}", file=sys.stderr)
        return UNREADABLE
    print(report.table(runs))
    print()
    print(report.details(runs))
    if options.json:
        text = json.dumps(report.as_json(runs), indent=1, allow_nan=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if any(run.count(runner.FAILED) for run in runs) else 0


def _list(_: argparse.Namespace, cases: Sequence[Case]) -> int:
    for case in cases:
        print(f"{case.source}:{case.id}  {case.function}  {case.why}".rstrip())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("golden", description=sys.modules["golden"].__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="hold implementations against the cases")
    check.set_defaults(command=_check)
    check.add_argument(
        "--implementation",
        action="append",
        choices=adapters.NAMES,
        help="one to check, repeatable; all by default",
    )
    check.add_argument("--json", type=Path, metavar="FILE", help="write the whole run here")
    check.add_argument(
        "--fail-fast", action="store_true", help="stop an implementation at its first failure"
    )
    listing = commands.add_parser("list", help="list the cases")
    listing.set_defaults(command=_list)
    for command in (check, listing):
        command.add_argument(
            "--fixtures",
            action="append",
            type=Path,
            metavar="DIR",
            help="a folder of yaml and npz pairs, repeatable; those shipped by default",
        )
        command.add_argument(
            "--filter",
            default="*",
            metavar="GLOB",
            help="only cases whose group/case, or file:group/case, matches",
        )
    return parser


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # end in silence when the reader of a pipe has seen enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
