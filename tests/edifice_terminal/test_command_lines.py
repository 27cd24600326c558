"""All of our command lines: streams that fail, text of others, interrupts."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import edifice_terminal

GOLDEN = "-m golden list --filter core:core.[qr]*"
INSPECT = "-m edifice_py convert --help"
HELP = "-m artifex_compat train --help"
PYTHON = sys.executable
EVIL = "a\x1b[31mb\nc\u202ed\x9b"


def shell(words):
    """Exit code of the first command, and what all of them complain of."""
    script = f"{words}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)  # noqa: S607
    return done.returncode, done.stderr


@pytest.mark.parametrize(("arguments", "unwritten"), [(GOLDEN, 2), (INSPECT, 2), (HELP, 1)])
def test_streams_that_are_closed_or_full(arguments, unwritten):
    command = f"{PYTHON} {arguments}"
    assert shell(f"{command} | head -c 0") == (0, "")
    assert shell(f"{command} 2>&- >/dev/null") == (0, "")
    code, complaint = shell(f"{command} >/dev/full")
    assert (code, complaint.count("\n")) == (unwritten, 1)
    assert "standard output: no space left on device." in complaint


@pytest.mark.parametrize("module", ["golden", "artifex_compat", "edifice_py"])
def test_a_refusal_keeps_its_code_where_nobody_hears_it(module):
    wrong = {
        "golden": "list --fixtures /nowhere",
        "artifex_compat": "sample /nowhere",
        "edifice_py": "inspect /nowhere.nx",
    }[module]
    for stream in ("2>&-", "2>/dev/full"):
        assert shell(f"{PYTHON} -m {module} {wrong} {stream} >/dev/null")[0] == 2


def test_text_of_a_user_cannot_act_on_a_terminal(tmp_path):
    name = json.dumps(EVIL)
    (tmp_path / "mine.yaml").write_text(
        f"groups: {{{name}: {{{name}: {{function: {name}, why: {name}, "
        "outputs: {x: {dtype: f32, data: [1]}}}}}"
    )
    for command in (
        ("golden", "list", "--fixtures", str(tmp_path)),
        ("golden", "list", "--fixtures", f"{tmp_path}/{EVIL}"),
        ("edifice_py", "inspect", f"{tmp_path}/{EVIL}.nx"),
        ("artifex_compat", "sample", f"{tmp_path}/{EVIL}"),
        ("artifex_compat", f"{tmp_path}/{EVIL}"),
    ):
        done = subprocess.run([PYTHON, "-m", *command], capture_output=True, text=True)
        assert r"a\x1b[31mb" in done.stdout + done.stderr
        for letter in "\x1b\u202e\x9b":
            assert letter not in done.stdout + done.stderr
    assert edifice_terminal.printable(EVIL) == r"a\x1b[31mb\nc\u202ed\x9b"


INTERRUPTED = """
import sys, time, edifice_terminal
def main():
    print("ready", flush=True)
    try:
        time.sleep(60)
    finally:
        if "slow" in sys.argv:
            time.sleep(60)
edifice_terminal.run("program", main, unwritten=1)
"""


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_ends_with_130_and_a_second_one_at_once(kind, times):
    arguments = [PYTHON, "-c", INTERRUPTED, *(["slow"] if times == 2 else [])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        began = time.monotonic()
        for _ in range(times):
            os.kill(process.pid, kind)
            time.sleep(0.02)
        assert process.wait(20) == 130
        assert time.monotonic() - began < 10
        assert process.stderr.read() in (b"program: interrupted.\n", b"" if times == 2 else None)


@pytest.mark.parametrize("text", ["~/a", "~"])
def test_a_tilde_is_the_home_folder(text, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert str(edifice_terminal.path(text)) == text.replace("~", "/somewhere")
