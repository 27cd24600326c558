"""What is refused before training: one sentence, exit code 2, and no folder left behind."""

import numpy as np
import pytest

from artifex_compat.data import digits
from tests.artifex_compat.commands.conftest import settings


@pytest.fixture
def stored(tmp_path):
    """A function that writes digits into a file, changed."""

    def write(change):
        x = digits().x[:300].copy()
        np.savez(tmp_path / "mine.npz", x=change(x), y=digits().factors[:300])
        return settings(data__source="npz", data__file=str(tmp_path / "mine.npz"))

    return write


def with_nan(x):
    x[7, 0, 0, 0] = np.nan
    return x


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_nan, "1 of 300 examples are not, the first of them number 7"),
        (lambda x: 3 * x, r"must lie in [0, 1] for loss_type 'bce', not from 0 to 3"),
        (lambda x: 2 * x - 1, "(x + 1) / 2 brings [-1, 1] to [0, 1]"),
        (lambda x: 255 * x, "divide pixels by 255, or use loss_type 'mse' with output_activation"),
        (lambda x: x.astype("U4"), "must be an array of numbers"),
        (lambda x: x[:9], "factors must be [9, factors]"),
    ],
)
def test_data_that_training_would_choke_on(refused, stored, tmp_path, change, words):
    assert words in refused("train", *stored(change))
    assert not (tmp_path / "runs").exists()


def test_an_output_that_cannot_reach_the_data_or_is_no_probability(refused, stored, tmp_path):
    options = settings(training__loss_type="mse", data__file=str(tmp_path / "mine.npz"))
    numbers = stored(lambda x: 6 * x - 3)
    words = refused("train", *numbers, *options)
    assert "output_activation 'sigmoid' reaches [0, 1] only, and the data lie from -3 to 3" in words
    words = refused("train", *stored(lambda x: x), "--set", "model.output_activation=linear")
    assert "output_activation must be 'sigmoid' for loss_type 'bce'" in words


def test_a_file_that_cannot_be_read(refused, tmp_path):
    options = settings(data__source="npz", data__file=str(tmp_path / "none.npz"))
    assert "none.npz cannot be read as an npz file: no such file" in refused(
        "train", *options
    ).lower().replace("artifex_compat", "")
    (tmp_path / "none.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "cannot be read as an npz file" in refused("train", *options)
    options = settings(data__source="idx", data__file=str(tmp_path / "none.npz"))
    assert "cannot be read as an IDX file" in refused("train", *options)


CODES = {"model__type": "vqvae", "training__kl_warmup_steps": None}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training__batch_size": "500"}, "batch_size must be at most the 240 examples"),
        ({"data__examples": "5000"}, "data.examples must be at most the 1797 that there are"),
        ({"data__held_out": "0"}, "held_out must leave some"),
        ({"model__input_shape": "[9, 9, 1]"}, "the model's shape [9, 9, 1], not of [8, 8, 1]"),
        ({"model__type": "vqvae"}, "kl_warmup_steps has no part"),
        ({**CODES, "model__embedding_dim": "0"}, "embedding_dim must be a positive integer"),
        ({"model__type": "conditional_vae", "model__condition": "dgit"}, "did you mean 'digit'"),
        ({"model__type": "conditional_vae", "model__num_classes": "3"}, "integers from 0 to 2"),
        ({"data__source": "sprites", "data__examples": None, "data__size": "64"}, "take 4 GiB"),
    ],
)
def test_what_does_not_fit(refused, tmp_path, changes, words):
    assert words in refused("train", *settings(**changes))
    assert not list((tmp_path / "runs").glob("*"))


def test_a_package_that_is_missing_is_named_with_its_extra(refused, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    words = refused("train", *settings(logging__tensorboard="true"))
    assert "needs tensorboardX: install it with pip install 'edifice-py[tensorboard]'" in words
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert "pip install 'edifice-py[evaluate]'" in refused("train", *settings())
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--sett", "a"], "unrecognized arguments: --sett a"),
        (["train", "--config", "nothing.yaml"], "nothing.yaml: no such file"),
        (["train", "--resume", "nothing"], "must be the folder of a run"),
        (["sample", "nothing"], "must be the folder of a run"),
        (["sample", "a", "--count", "x"], "invalid int value: 'x'"),
        (["sample", "a", "--out", "b.gif"], "--out must end in .png or .npz"),
        (["evaluate"], "the following arguments are required: RUN"),
        (["traverse", "a", "--values"], "expected at least one argument"),
    ],
)
def test_wrong_usage(refused, arguments, words):
    assert words in refused(*arguments)
