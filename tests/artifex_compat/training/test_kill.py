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
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, PROGRAM, str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def finish(folder):
    process = start(folder)
    assert process.wait(timeout=300) == 0
    process.stdout.close()
    return dict(np.load(folder / "end.npz")), (folder / "history.jsonl").read_text()


def test_a_killed_run_ends_in_the_same_bits(tmp_path):
    (tmp_path / "whole").mkdir()
    began = time.perf_counter()
    wanted, wanted_history = finish(tmp_path / "whole")
    seconds = time.perf_counter() - began
    moments = random.Random(0)  # noqa: S311 # no secret
    killed, round_ = 0, 0
    while killed < KILLS:
        folder = tmp_path / str(round_)
        folder.mkdir()
        for _ in range(2):  # a run may be killed again and again before it ends
            process = start(folder)
            while "training" not in process.stdout.readline():
                assert process.poll() is None
            time.sleep(moments.uniform(0, seconds / 2))
            process.kill()
            killed += process.wait() != 0
            process.stdout.close()
        had, history = finish(folder)
        assert history == wanted_history
        assert had.keys() == wanted.keys()
        for name, value in wanted.items():
            np.testing.assert_array_equal(had[name], value, err_msg=name)
        round_ += 1
        assert round_ < 3 * KILLS, "the program ends before it can be killed"
