"""`python -m artifex_compat`: run a program written for artifex or workshop, or a command of ours.

`train`, `evaluate`, `sample` and `traverse` are commands; anything else is a program.
"""

import argparse
import runpy
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import edifice_terminal as terminal
from artifex_compat.commands import COMMANDS


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; or a script, or a module with `-m`, as Python would, with the aliases.

    Raises:
        SystemExit: after a command, with its exit code.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] and given[0] in COMMANDS:
        from artifex_compat.commands import command_line

        terminal.run("artifex_compat", lambda: command_line.run(given), unwritten=1)
    parser = argparse.ArgumentParser(
        "python -m artifex_compat",
        usage="%(prog)s [-h] (COMMAND | SCRIPT.py | -m MODULE) [ARGS ...]",
        description="Run a program whose artifex and workshop imports land in artifex_compat.",
        epilog=f"Or a command: {', '.join(COMMANDS)}; COMMAND --help tells more.",
    )
    parser.add_argument("-m", action="store_true", help="the program is a module, not a file")
    parser.add_argument("program", metavar="PROGRAM", help="a Python file, or a module's name")
    parser.add_argument("args", nargs=argparse.REMAINDER, metavar="ARGS", help="for the program")
    options = parser.parse_args(given)
    if not options.m and not Path(options.program).is_file():
        parser.error(f"there is no file {terminal.printable(options.program)}")
    # Before the aliases: what lies beside the script may be a real module of these names. In
    # Python's safe mode the first entry is neither the current folder nor to be the script's.
    if not options.m and not sys.flags.safe_path:
        sys.path[0] = str(Path(options.program).resolve().parent)
    try:
        import artifex_compat.aliases  # noqa: F401
    except ImportError as error:
        parser.error(str(error))
    if options.m and find_spec(options.program.partition(".")[0]) is None:
        parser.error(f"there is no module {terminal.printable(options.program)}")
    sys.argv = [options.program, *options.args]
    if options.m:
        runpy.run_module(options.program, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(options.program, run_name="__main__")


if __name__ == "__main__":
    main()
