"""The folder of a run: locked, written as a whole, and never beyond itself."""

import errno
import json
import math
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from artifex_compat.commands.configuration import DataSection, RunConfig, build_config
from artifex_compat.commands.run import locked
from artifex_compat.data import Examples, digits, read_npz
from artifex_compat.generative_models.training.callbacks.history import as_json
from edifice_py import interchange
from edifice_py.interchange import disk
from tests.artifex_compat.commands.conftest import settings


@pytest.fixture
def copied(trained, tmp_path):
    """A folder of the tiny run, to be changed."""
    return shutil.copytree(trained, tmp_path / "copied")


def content(folder):
    return {str(f): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_two_processes_never_write_to_one_run(refused, copied, tmp_path):
    with locked(copied, "--resume"):
        assert "another process writes" in refused("train", "--resume", copied)
    empty = tmp_path / "empty"
    empty.mkdir()
    with locked(empty, "--out"):
        assert "another process writes" in refused("train", "--out", empty, *settings())


def test_a_link_is_never_written_through(refused, copied, tmp_path):
    for name in ("metrics.jsonl", "figures", "samples.png"):
        elsewhere = tmp_path / f"elsewhere {name}"
        if (copied / name).exists():
            shutil.move(copied / name, elsewhere)
        else:
            elsewhere.write_bytes(b"mine")
        (copied / name).symlink_to(elsewhere)
        before = content(tmp_path)
        assert "is a link" in refused("train", "--resume", copied)
        assert content(tmp_path) == before
    assert "is a link" in refused("sample", copied)
    assert (tmp_path / "elsewhere samples.png").read_bytes() == b"mine"


def test_an_empty_configuration_is_refused(refused, copied):
    (copied / "config.yaml").write_text("")
    before = content(copied)
    assert "is empty" in refused("train", "--resume", copied)
    assert content(copied) == before


def test_a_full_disk_fails_in_one_sentence_and_leaves_nothing(refused, tmp_path, monkeypatch):
    def full(path, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(disk, "write", full)
    out = tmp_path / "out"
    assert "no space left" in refused("train", "--out", out, *settings(), code=1)
    assert not out.exists()


def test_more_epochs_in_the_configuration_are_trained(command, copied):
    file = copied / "config.yaml"
    file.write_text(file.read_text().replace("epochs: 4", "epochs: 6"))
    code, printed, complaint = command("train", "--resume", copied, "--json")
    assert code == 0, complaint
    assert json.loads(printed)["epochs"] == 6
    lines = (copied / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [*range(6)]


def test_a_run_without_a_checkpoint_begins_again_only_when_told(command, refused, copied):
    shutil.rmtree(copied / "checkpoints")
    before = content(copied)
    assert "--restart" in refused("train", "--resume", copied)
    after = content(copied)
    after.pop(str(copied / ".lock"))
    before.pop(str(copied / ".lock"), None)
    assert after == before
    with pytest.warns(UserWarning, match="another run") as caught:
        code, _, complaint = command("train", "--resume", copied, "--restart")
    assert len(caught) == 2
    assert code == 0, complaint
    assert (copied / "metrics-1.jsonl").read_bytes() == before[str(copied / "metrics.jsonl")]
    assert "--restart begins" in refused("train", "--restart")


def test_the_best_checkpoint_can_be_taken(command, refused, trained, tmp_path):
    assert "must be a step or best" in refused("sample", trained, "--step", "beste")
    assert command("sample", trained, "--step", "best", "--out", tmp_path / "a.npz")[0] == 0


def test_one_held_out_example_is_refused_before_training(refused, tmp_path):
    words = refused("train", *settings(data__held_out="0.004"))
    assert "data.held_out must leave at least 2" in words
    assert not (tmp_path / "runs").exists()


def test_aliases_and_long_values_of_yaml_are_told_in_a_short_sentence(refused, tmp_path):
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    for text, words in (
        ("\n".join(bomb), "aliases like *a0"),
        (f"data: {{source: {'y' * 10**6}}}", "source must be"),
        ("training: {beta: 1, beta: 2}", "stands twice"),
    ):
        (tmp_path / "a.yaml").write_text(text)
        sentence = refused("train", "--config", tmp_path / "a.yaml")
        assert words in sentence
        assert len(sentence) < 1500
    assert len(refused("train", "--set", f"data.source={'y' * 10**5}")) < 1500


def test_a_path_that_is_no_utf8_is_refused(refused, tmp_path):
    assert "UTF-8" in refused(
        "train", "--out", os.fsdecode(bytes(tmp_path) + b"/\xff"), *settings()
    )


def test_a_tilde_in_paths_of_data(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    config = build_config(None, ["data.source=npz", "data.file=~/a.npz"])
    assert config.data == DataSection(source="npz", file="/somewhere/a.npz")


def test_json_has_no_nan():
    numbers = {"a": math.nan, "b": [math.inf, (1.5, -math.inf)]}
    assert json.loads(as_json(numbers)) == {"a": None, "b": [None, [1.5, None]]}


def test_examples_are_told_without_their_arrays():
    assert repr(digits()) == "Examples(1797 of [8, 8, 1], float32, factors digit)"
    assert repr(Examples(np.zeros((2, 3), np.float32))) == "Examples(2 of [3], float32)"


def test_a_tilde_in_paths_that_the_library_takes(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3), np.float32))
    assert len(read_npz("~/a.npz")) == 2
    interchange.save("~/a.nx", {"w": np.zeros(2, np.float32)})
    assert interchange.load("~/a.nx")["w"].shape == (2,)
    RunConfig().to_yaml("~/a.yaml")
    assert RunConfig.from_yaml("~/a.yaml") == RunConfig()


def test_sigterm_saves_the_run_first(tmp_path):
    out, options = tmp_path / "out", settings(training__epochs="100000", data__examples="60")
    few = ("--set", "training.batch_size=8", "--set", "training.checkpoint_every=100000")
    command = [sys.executable, "-m", "artifex_compat", "train", "--out", str(out), *options, *few]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not (out / "metrics.csv").exists() and process.poll() is None:
            time.sleep(0.05)
        process.terminate()
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert f"train --resume {out} goes on." in complaint
    assert (out / "checkpoints").is_dir()
    (step,) = (int(path.name) for path in (out / "checkpoints").iterdir())
    last = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
    assert step >= last["step"]
