"""Several devices, of one process or of two, train what one device trains."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = "tests/artifex_compat/training/programs/spread.py"


def start(*arguments, devices):
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": flags,
        "JAX_PLATFORMS": "cpu",
    }
    return subprocess.Popen(
        [sys.executable, PROGRAM, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process):
    words, _ = process.communicate(timeout=240)
    assert process.returncode == 0, words


def assert_close(one, several, devices):
    assert several["devices"] == devices
    np.testing.assert_allclose(several["losses"], one["losses"], rtol=1e-6)
    for name in one:
        if "kernel" in name or "embedding" in name:
            np.testing.assert_allclose(several[name], one[name], rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("kind", ["vq"])
def test_eight_devices_train_what_one_trains(tmp_path, kind):
    runs = {n: start(tmp_path / f"{n}.npz", kind, devices=n) for n in (1, 8)}
    for process in runs.values():
        end(process)
    assert_close(np.load(tmp_path / "1.npz"), np.load(tmp_path / "8.npz"), 8)


def test_two_processes_train_what_one_trains(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [start(tmp_path / f"two{i}.npz", "conditional", port, i, devices=1) for i in (0, 1)]
    processes.append(start(tmp_path / "one.npz", "conditional", devices=1))
    for process in processes:
        end(process)
    one = np.load(tmp_path / "one.npz")
    for i in (0, 1):
        assert_close(one, np.load(tmp_path / f"two{i}.npz"), 2)
