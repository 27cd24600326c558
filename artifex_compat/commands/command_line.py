"""The parser of the commands; what they need is imported when one of them runs."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from artifex_compat.commands.errors import INTERRUPTED, SUCCESS, CommandError
from edifice_terminal import path

Result = tuple[dict[str, Any], str]


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message.rstrip('.')}; {self.prog} --help tells more.")


def run(arguments: Sequence[str]) -> int:
    """Run a command; the exit code is 0, 1 for a run that failed, 2 for a refusal, 130 for Ctrl-C.

    Args:
        arguments: the name of the command, and its options.
    """
    try:
        options = _parser().parse_args(arguments)
        options.arguments = list(arguments)
        result, text = options.run(options)
    except CommandError as error:
        print(f"artifex_compat: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("artifex_compat: interrupted.", file=sys.stderr)
        return INTERRUPTED
    if options.json:
        from artifex_compat.generative_models.training.callbacks.history import as_json

        text = as_json(result)
    print(text)
    return SUCCESS


def _train(options: argparse.Namespace) -> Result:
    """Train a model on data, evaluate it, and write a folder with a report."""
    from artifex_compat.commands.train import train

    folders = {"out": options.out, "resumed": options.resume, "restart": options.restart}
    return train(options.config, options.set, arguments=options.arguments, **folders)


def _evaluate(options: argparse.Namespace) -> Result:
    """Evaluate the model of a run on its held-out data, or on others."""
    from artifex_compat.commands.evaluate import evaluate

    return evaluate(options.run_folder, options.set, options.out, options.step, options.arguments)


def _sample(options: argparse.Namespace) -> Result:
    """Draw images from the model of a run."""
    from artifex_compat.commands.draw import sample

    return sample(options.run_folder, options.count, options.seed, options.out, options.step)


def _traverse(options: argparse.Namespace) -> Result:
    """Show what each latent of the model of a run does."""
    from artifex_compat.commands.draw import traverse

    return traverse(
        *(options.run_folder, options.dims, options.values, options.index),
        *(options.out, options.step),
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("python -m artifex_compat", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    by_name = {}
    for function in (_train, _evaluate, _sample, _traverse):
        name, text = function.__name__.removeprefix("_"), str(function.__doc__)
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.set_defaults(run=function)
        command.add_argument(
            "--json", action="store_true", help="the result on standard output, as JSON"
        )
        by_name[name] = command
    train, evaluate, sample, traverse = by_name.values()
    train.add_argument("--config", type=path, metavar="FILE.yaml", help="the configuration")
    _settings(train, "over the configuration, like training.beta=4; repeatable")
    train.add_argument(
        "--out", type=path, metavar="FOLDER", help="new or empty; runs/NAME-1, -2, ... by default"
    )
    train.add_argument(
        "--resume", type=path, metavar="FOLDER", help="go on with a run that was cut off"
    )
    train.add_argument(
        "--restart",
        action="store_true",
        help="with --resume: begin again where no checkpoint was saved yet",
    )
    for command in (evaluate, sample, traverse):
        command.add_argument("run_folder", type=path, metavar="RUN", help="the folder of a run")
        command.add_argument(
            "--step",
            type=_step,
            metavar="N|best",
            help="that of a checkpoint, or the best by val_loss; the newest by default",
        )
    _settings(evaluate, "over the run's data or evaluation, like data.source=npz; repeatable")
    evaluate.add_argument(
        "--out", type=path, metavar="FOLDER", help="write scores, pictures and a report here"
    )
    sample.add_argument("--count", type=int, default=100, metavar="N", help="how many (100)")
    sample.add_argument("--seed", type=int, default=0, metavar="S", help="of the draws (0)")
    traverse.add_argument("--dims", type=int, nargs="+", metavar="D", help="latents, from 0 (all)")
    traverse.add_argument(
        "--values", type=float, nargs="+", metavar="V", help="what each is set to (-3 to 3)"
    )
    traverse.add_argument(
        "--index", type=int, default=0, metavar="I", help="the held-out example to begin at (0)"
    )
    for command in (sample, traverse):
        command.add_argument(
            "--out", type=path, metavar="FILE", help=".png or .npz; in the run's folder by default"
        )
    return parser


def _step(text: str) -> int | str:
    if text == "best":
        return text
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a step or best, not {text!r}") from error


def _settings(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=text)
