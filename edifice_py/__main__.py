"""The command line: `python -m edifice_py COMMAND`; `edifice_py.interchange.commands` does it."""

import argparse
import sys
from collections.abc import Sequence

from edifice_py.interchange import commands
from edifice_py.interchange.formats import FORMATS
from edifice_py.interchange.nx_file import CONTAINERS
from edifice_terminal import path, run

UNUSABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, or 2 with one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"edifice_py: {' '.join(str(error).split())}", file=sys.stderr)
        return UNUSABLE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("edifice_py", description="Weights from file to file.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    convert = subparsers.add_parser(
        "convert", help="write weights in another format", description=commands.convert.__doc__
    )
    convert.set_defaults(run=commands.convert)
    convert.add_argument("input", type=path, metavar="IN", help="a .nx, .axon or .safetensors file")
    convert.add_argument(
        "output", type=path, metavar="OUT", help="the same; an old one is replaced"
    )
    _choose_format(convert, "--from", "source", "IN")
    _choose_format(convert, "--to", "target", "OUT")
    convert.add_argument(
        "--container", choices=CONTAINERS, help="what an Nx file holds: Axon.ModelState, or maps"
    )
    convert.add_argument(
        "--metadata",
        action="store_true",
        help="say what the numbers mean in the safetensors file too; Elixir does not read it then",
    )
    inspect = subparsers.add_parser(
        "inspect", help="tell what is in a file", description=commands.inspect_file.__doc__
    )
    inspect.set_defaults(run=commands.inspect_file)
    inspect.add_argument(
        "file", type=path, metavar="FILE", help="a .nx, .axon or .safetensors file"
    )
    inspect.add_argument("--json", action="store_true", help="print it as JSON")
    _choose_format(inspect, "--from", "source", "FILE")
    return parser


def _choose_format(command: argparse.ArgumentParser, option: str, dest: str, of: str) -> None:
    command.add_argument(
        option, dest=dest, choices=FORMATS, help=f"the format of {of}, where its suffix is another"
    )


if __name__ == "__main__":
    run("edifice_py", main, unwritten=UNUSABLE)
