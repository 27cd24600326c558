"""The command line: `python -m golden COMMAND`; `golden.commands` says what each does."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence

from edifice_terminal import path, run
from golden import adapters, commands
from golden.adapters import StartError
from golden.conversion import Loss
from golden.document import UnreadableError, sentence
from golden.remote import TIME_LIMIT
from golden.wire import ProtocolError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, 1 where a case failed, or 2 where none could be asked."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in ("json", "html"):
        file = getattr(options, name, None)
        if file and not file.parent.is_dir():
            parser.error(f"--{name} {file}: there is no folder {file.parent}")
    try:
        code: int = options.run(options)
    except (UnreadableError, StartError, ProtocolError, OSError) as error:
        print(f"golden: {sentence(error)}", file=sys.stderr)
        return commands.UNREADABLE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("golden", description=sys.modules["golden"].__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], words: str
    ) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=words, description=run.__doc__)
        added.set_defaults(run=run)
        return added

    check = command("check", commands.check, "hold implementations against the cases")
    _choose_cases(check)
    _choose_implementations(check, "several may be given; all of ours by default")
    check.add_argument(
        "--deviations", type=path, metavar="FILE", help="what the one implementation declares"
    )
    check.add_argument("--json", type=path, metavar="FILE", help="write the whole run here")
    check.add_argument(
        "--html", type=path, metavar="FILE", help="write a page of the run and of conventions here"
    )
    check.add_argument(
        "--fail-fast", action="store_true", help="stop an implementation at its first failure"
    )
    conventions = command(
        "conventions", commands.conventions, "tell which conventions are followed"
    )
    _choose_implementations(conventions, "several may be given; all of ours by default")
    conventions.set_defaults(fail_fast=False, fixtures=None, deviations=None)
    _beta(command("beta", commands.beta, "convert a beta from one convention to another"))
    baseline = command("baseline", commands.draft, "draft the deviations of an implementation")
    _choose_cases(baseline)
    _choose_implementations(baseline, "one is needed")
    baseline.set_defaults(fail_fast=False, deviations=None)
    _choose_cases(command("list", commands.list_cases, "list the cases"))
    lint = command("lint", commands.lint, "find what is wrong with files of cases")
    lint.add_argument("place", nargs="+", type=path, metavar="FILE|DIR")
    serve = command("serve", commands.serve, "answer the protocol on stdin and stdout")
    _name(serve)
    export = command("export", commands.export, "write the cases into a file")
    export.add_argument("cases", type=path, metavar="CASES.json")
    _choose_cases(export)
    export.add_argument(
        "--conventions", action="store_true", help="and the questions of conventions"
    )
    answer = command("answer", commands.answer, "answer such a file in another")
    _name(answer)
    answer.add_argument("cases", type=path, metavar="CASES.json")
    answer.add_argument("answers", type=path, metavar="ANSWERS.json")
    return parser


def _beta(command: argparse.ArgumentParser) -> None:
    command.add_argument("beta", type=_weight, help="the weight of the KL in the first loss")
    for name, dest in (("--from", "source"), ("--to", "target")):
        command.add_argument(
            name,
            dest=dest,
            type=_loss,
            required=True,
            metavar="RECONSTRUCTION[/KL]",
            help="reductions, as golden conventions names them; the KL's is sum-latent",
        )
    for name, what in (
        ("--features", "features of a sample"),
        ("--latent", "latent dimensions"),
        ("--batch", "samples in a batch"),
    ):
        command.add_argument(name, type=_size, metavar="N", help=what)


def _name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", choices=adapters.SERVED, metavar="NAME", help="one of ours")


def _choose_cases(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fixtures",
        action="append",
        type=path,
        metavar="DIR",
        help="a folder of yaml and npz pairs, repeatable; those shipped by default",
    )
    command.add_argument(
        "--filter",
        default="*",
        metavar="GLOB",
        help="only cases whose group/case, or file:group/case, matches",
    )


def _choose_implementations(command: argparse.ArgumentParser, many: str) -> None:
    group = command.add_argument_group("implementations", many)
    group.add_argument("--implementation", action="append", default=[], choices=adapters.NAMES)
    group.add_argument(
        "--command", action="append", default=[], metavar="COMMAND", help="a process to ask"
    )
    group.add_argument(
        "--answers", action="append", default=[], type=path, metavar="FILE", help="given before"
    )
    group.add_argument(
        "--time-limit",
        type=_seconds,
        default=TIME_LIMIT,
        metavar="SECONDS",
        help=f"for a process to introduce itself, and for each case; {TIME_LIMIT:g}",
    )
    group.add_argument(
        "--processes",
        type=_size,
        metavar="N",
        help="that answer for ours at once; one for each processor where there is enough to ask",
    )


def _loss(text: str) -> Loss:
    try:
        return Loss.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number from 0, not {text}")
    return weight


def _size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a positive integer, not {text}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, not {text}")
    return seconds


if __name__ == "__main__":
    run("golden", main, unwritten=commands.UNREADABLE)
