"""Writing is atomic: a kill at any moment leaves the old file or the new one.

`KILLS=1000 pytest tests/edifice_py/interchange/test_disk.py` kills more often than the suite does.
"""

import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from edifice_py import interchange
from edifice_py.interchange import disk
from tests.edifice_py.interchange import make

KILLS = int(os.environ.get("KILLS", "40"))
# A child writes two files in turn for as long as it lives; its parent kills it, and looks.
PROGRAM = """
import os, random, signal, sys, time, warnings
from pathlib import Path
import numpy as np
from edifice_py import interchange
warnings.simplefilter("ignore")  # JAX warns of forks; the child does not use it
path, kills = Path(sys.argv[1]), int(sys.argv[2])
trees = [{"layer": {"kernel": np.full((n, 999), n, np.float32)}} for n in (300, 700)]
contents = []
for tree in trees:
    interchange.save(path, tree)
    contents.append(path.read_bytes())
seen = set()
for seed in range(kills):
    child = os.fork()
    if child == 0:
        while True:
            for tree in trees:
                interchange.save(path, tree)
    time.sleep(random.Random(seed).uniform(0.001, 0.05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    seen.add(contents.index(path.read_bytes()))
print(len(seen))
"""


@pytest.mark.parametrize("suffix", ["nx", "safetensors"])
def test_killed_at_any_moment_it_leaves_the_old_file_or_the_new_one(suffix, tmp_path):
    path = tmp_path / f"weights.{suffix}"
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, str(KILLS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + KILLS,
    )
    assert ran.returncode == 0, ran.stderr
    assert interchange.load(path).keys() == {"layer"}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "weights.nx"
    interchange.save(path, {"a": np.ones(1)})

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        interchange.save(path, {"a": np.zeros(1)})
    assert [file.name for file in tmp_path.iterdir()] == ["weights.nx"]
    assert interchange.load(path)["a"] == 1


def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "weights.nx", tmp_path / "link.nx"
    old = os.umask(0o027)
    try:
        interchange.save(path, {"a": np.ones(1)})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o600)
    link.symlink_to(path)
    interchange.save(link, {"a": np.zeros(1)})
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert interchange.load(path)["a"] == 0


def test_folders_devices_and_pipes_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(interchange.InterchangeError, match="is no file to read weights from"):
            interchange.load(path, format="nx")


def test_missing_files_and_folders_are_the_systems_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        interchange.load(tmp_path / "none.nx")
    with pytest.raises(FileNotFoundError):
        interchange.save(tmp_path / "none" / "x.nx", {"a": np.ones(1)})


def test_only_the_beginning_of_a_file_can_be_read():
    assert disk.read(make.RECORDED[0], 4) == make.RECORDED[0].read_bytes()[:4]
