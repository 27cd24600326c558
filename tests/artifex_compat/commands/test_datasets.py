"""The labels of a conditional model, from a file of the user."""

import numpy as np
import pytest

from artifex_compat.commands.configuration import build_config
from artifex_compat.commands.datasets import prepare, training_batch
from artifex_compat.data import DataError

LABELS = np.arange(40) % 4
X = np.random.default_rng(0).random((40, 5), dtype=np.float32)


@pytest.fixture
def labels_of_run(tmp_path):
    """The labels that are trained on, and how many classes there are, for those of a file."""

    def read(y, *settings):
        np.savez(tmp_path / "mine.npz", x=X, y=y)
        options = ("data.source=npz", f"data.file={tmp_path / 'mine.npz'}")
        fixed = ("model.type=conditional_vae", "training.batch_size=8")
        ready = prepare(build_config(None, [*options, *fixed, *settings]))
        batch = training_batch(ready.train, ready.config)
        rows = [int(np.flatnonzero((x == X).all(axis=1))[0]) for x in batch["image"]]
        return batch["y"], LABELS[rows], ready.config.model.num_classes

    return read


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, bool])
def test_one_hot_labels_are_all_of_their_columns(labels_of_run, dtype):
    found, wanted, classes = labels_of_run(np.eye(4)[LABELS].astype(dtype))
    np.testing.assert_array_equal(found, wanted)
    assert classes == 4
    found, wanted, classes = labels_of_run(np.eye(4)[LABELS], "model.condition=factor 1")
    np.testing.assert_array_equal(found, wanted == 1)


@pytest.mark.parametrize("shape", [(40,), (40, 1)])
def test_labels_are_as_they_are(labels_of_run, shape):
    found, wanted, classes = labels_of_run(LABELS.reshape(shape))
    np.testing.assert_array_equal(found, wanted)
    assert classes == 4


def test_labels_from_1_on_need_a_class_more(labels_of_run):
    found, wanted, classes = labels_of_run(LABELS + 1)
    np.testing.assert_array_equal(found, wanted + 1)
    assert classes == 5
    with pytest.raises(DataError, match="must be integers from 0 to 3, not numbers from 1 to 4"):
        labels_of_run(LABELS + 1, "model.num_classes=4")
