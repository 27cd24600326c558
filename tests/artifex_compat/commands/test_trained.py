"""`evaluate`, `sample` and `traverse` on the model of a run."""

import json
import shutil

import numpy as np

from artifex_compat.data import digits


def result(command, *arguments):
    code, printed, complaint = command(*arguments, "--json")
    assert code == 0, complaint
    assert complaint == ""
    return json.loads(printed)


def test_evaluate_finds_what_training_wrote(command, trained, scores):
    found = result(command, "evaluate", trained)
    assert found["scores"] == scores["scores"]


def test_evaluate_takes_other_data_and_another_checkpoint(command, trained, tmp_path, scores):
    x = digits().x
    np.savez(tmp_path / "mine.npz", x=x[-90:])
    other = ("--set", "data.source=npz", "--set", f"data.file={tmp_path / 'mine.npz'}")
    out = tmp_path / "out"
    found = result(command, "evaluate", trained, *other, "--step", "12", "--out", out)
    assert found["examples"] == 90  # and not 300, as the run had
    assert found["left_out"]["disentanglement"] == "the data have no factors."
    assert found["scores"]["elbo"]["value"] != scores["scores"]["elbo"]["value"]
    assert "evaluate" in (out / "report.html").read_text()


def test_evaluate_refuses_other_models_and_shapes(refused, trained, tmp_path):
    assert "--set must change data or evaluation" in refused(
        "evaluate", trained, "--set", "model.latent_dim=3"
    )
    np.savez(tmp_path / "mine.npz", x=np.zeros((9, 5, 5), np.float32))
    other = ("--set", "data.source=npz", "--set", f"data.file={tmp_path / 'mine.npz'}")
    words = refused("evaluate", trained, *other)
    assert "the model's shape [8, 8, 1], not of [5, 5, 1]" in words
    assert "there is none of step 7, only of " in refused("evaluate", trained, "--step", "7")


def test_evaluate_leaves_no_folder_when_it_refuses(refused, trained, tmp_path):
    np.savez(tmp_path / "mine.npz", x=digits().x[:1])
    other = ("--set", "data.source=npz", "--set", f"data.file={tmp_path / 'mine.npz'}")
    assert "at least 2 examples" in refused("evaluate", trained, *other, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_samples_are_named_by_their_seed(command, trained, tmp_path):
    images = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        file = tmp_path / f"{name}.npz"
        found = result(command, "sample", trained, "--count", 5, "--seed", seed, "--out", file)
        assert found == {"file": str(file), "count": 5, "seed": seed}
        with np.load(file) as arrays:
            images[name] = arrays["images"]
    assert images["a"].shape == (5, 8, 8, 1)
    assert (images["a"] == images["b"]).all()
    assert (images["a"] != images["c"]).any()


def test_pictures_are_in_the_folder_of_the_run(command, trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    assert command("sample", run)[0] == 0
    assert command("traverse", run)[0] == 0
    for name in ("samples", "traversals"):
        assert (run / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_traversal_moves_what_it_is_told(command, refused, trained, tmp_path):
    file = tmp_path / "a.npz"
    options = ("--dims", 2, 0, "--values", -1, 0, "1e-1", "--index", 3)
    found = result(command, "traverse", trained, *options, "--out", file)
    assert found["dims"] == [2, 0]
    with np.load(file) as arrays:
        assert arrays["images"].shape == (2, 3, 8, 8, 1)
        np.testing.assert_allclose(arrays["values"], [-1, 0, 0.1], rtol=1e-6)
    assert "from 0 to 2, not 3" in refused("traverse", trained, "--dims", 3)
    assert "--index must be from 0 to 59" in refused("traverse", trained, "--index", 60)
    assert "--count must be a positive integer" in refused("sample", trained, "--count", 0)


def test_a_run_without_a_whole_checkpoint_is_refused(refused, trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    for file in (run / "checkpoints").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    assert "no checkpoint can be used" in refused("sample", run)
