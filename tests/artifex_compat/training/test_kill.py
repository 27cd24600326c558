"""Killed at random moments, a run goes on to the same bits as one that was left alone.

`KILLS=30 pytest tests/artifex_compat/training/test_kill.py` kills more often than the suite does.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[3]
PROGRAM = "tests/artifex_compat/training/programs/resumable.py"
KILLS = int(os.environ.get("KILLS", "1"))


def start(folder):
    """The program, when it has begun to train."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, PROGRAM, str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while "training" not in process.stdout.readline():
        assert process.poll() is None
    return process


def finish(folder):
    """Its arrays, its history, and the seconds that it trained."""
    process, began = start(folder), time.perf_counter()
    assert process.wait(timeout=300) == 0
    seconds = time.perf_counter() - began
    process.stdout.close()
    return dict(np.load(folder / "end.npz")), (folder / "history.jsonl").read_text(), seconds


def test_a_killed_run_ends_in_the_same_bits(tmp_path):
    (tmp_path / "whole").mkdir()
    wanted, wanted_history, seconds = finish(tmp_path / "whole")
    moments = random.Random(0)  # noqa: S311 # no secret
    killed, round_ = 0, 0
    while killed < KILLS:
        folder = tmp_path / str(round_)
        folder.mkdir()
        for _ in range(min(KILLS, 2)):  # a run may be killed again before it ends
            process = start(folder)
            time.sleep(moments.uniform(0, 0.8 * seconds))
            process.kill()
            ended = process.wait() == 0
            killed += not ended
            seconds *= 0.7 if ended else 1  # the first run compiled, and took longer than these
            process.stdout.close()
        had, history, _ = finish(folder)
        assert history == wanted_history
        assert had.keys() == wanted.keys()
        for name, value in wanted.items():
            np.testing.assert_array_equal(had[name], value, err_msg=name)
        round_ += 1
        assert round_ < 3 * KILLS, "the program ends before it can be killed"
