"""`python -m artifex_compat SCRIPT.py [ARGS]`: run a program written for artifex or workshop."""

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a script, or a module with `-m`, as Python would, with the aliases in force."""
    parser = argparse.ArgumentParser(
        "python -m artifex_compat",
        description="Run a program whose artifex and workshop imports land in artifex_compat.",
    )
    parser.add_argument("-m", action="store_true", help="SCRIPT is the name of a module")
    parser.add_argument("script", metavar="SCRIPT", help="a Python file")
    parser.add_argument("args", nargs=argparse.REMAINDER, metavar="ARGS", help="for the program")
    options = parser.parse_args(arguments)
    if not options.m and not Path(options.script).is_file():
        parser.error(f"there is no file {options.script}")
    try:
        import artifex_compat.aliases  # noqa: F401
    except ImportError as error:
        parser.error(str(error))
    sys.argv = [options.script, *options.args]
    if options.m:
        runpy.run_module(options.script, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(options.script).resolve().parent)
        runpy.run_path(options.script, run_name="__main__")


if __name__ == "__main__":
    main()
