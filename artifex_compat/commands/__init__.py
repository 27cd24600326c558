"""The command line: `python -m artifex_compat train|evaluate|sample|traverse`."""

COMMANDS = ("train", "evaluate", "sample", "traverse")
