"""`python -m artifex_compat`: commands beside scripts, and help at once."""

import subprocess
import sys

import pytest

from artifex_compat import __main__
from artifex_compat.commands import COMMANDS, command_line

HELP = """
import sys
from artifex_compat.__main__ import main
try:
    main({arguments})
finally:
    print("loaded", sorted(set(sys.modules) & {{"jax", "flax", "numpy", "yaml", "rich"}}))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_comes_at_once(arguments):
    code = HELP.format(arguments=arguments)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded []" in run.stdout
    assert all(name in run.stdout for name in (COMMANDS if len(arguments) == 1 else ["--resume"]))


def test_a_command_ends_with_its_exit_code(monkeypatch):
    monkeypatch.setattr(command_line, "run", lambda arguments: len(arguments))
    with pytest.raises(SystemExit) as caught:
        __main__.main(["sample", "a", "b"])
    assert caught.value.code == 3


def test_a_file_of_the_name_of_a_command_is_still_a_script(tmp_path):
    (tmp_path / "train").write_text("import artifex; print('a script')")
    command = [sys.executable, "-m", "artifex_compat", "./train"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout == "a script\n"


def test_ctrl_c_before_there_is_a_run(monkeypatch, capsys):
    def _sample(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "_sample", _sample)
    assert command_line.run(["sample", "a"]) == 130
    assert capsys.readouterr().err == "artifex_compat: interrupted.\n"
