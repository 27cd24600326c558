"""Checkpoints: a run that was cut off goes on to the same bits; what is broken is skipped."""

import json
import resource
import shutil
import warnings

import numpy as np
import pytest

from artifex_compat.generative_models.models.vae import VAE, MLPDecoder, MLPEncoder
from artifex_compat.generative_models.training import Trainer, VAETrainer, VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import (
    Callback,
    CheckpointConfig,
    EarlyStopping,
    EarlyStoppingConfig,
    ModelCheckpoint,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointError
from tests.artifex_compat.train_make import (
    LABELED,
    StopAt,
    X,
    arrays,
    assert_same,
    model,
    optimizer,
    saving,
    trainer,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax"),
    pytest.mark.filterwarnings("ignore:the run ended at step"),  # these are short
]


class StopBefore(Callback):
    """Raises when an epoch begins."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, *arguments):
        """Raise at the epoch."""
        if arguments[1] == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["normalised", "vq"])
def test_a_run_cut_off_between_epochs_goes_on_to_the_same_bits(tmp_path, kind):
    whole = trainer(kind)
    whole.train(LABELED, 4, 16)
    cut = trainer(kind, callbacks=[saving(tmp_path), StopBefore(2)])
    with pytest.raises(KeyboardInterrupt):
        cut.train(LABELED, 4, 16)
    again = trainer(kind, callbacks=[saving(tmp_path)])
    assert again.restore(tmp_path) == 6
    again.train(LABELED, 4, 16)
    assert_same(whole, again)


def test_a_run_cut_off_within_an_epoch_goes_on_to_the_same_bits(tmp_path):
    whole = trainer(mode="step")
    whole.train(X, 4, 8)
    fields = {"every_n_batches": 2}
    cut = trainer(callbacks=[saving(tmp_path, **fields), StopAt(1, 4)])
    with pytest.raises(KeyboardInterrupt):
        cut.train(X, 4, 8)
    again = trainer(callbacks=[saving(tmp_path, **fields)])
    assert again.restore(tmp_path) == 11
    assert (again.epoch, again.state.batch) == (1, 5)
    again.train(X, 4, 8)
    assert_same(whole, again)


def test_callbacks_go_on_where_they_were(tmp_path):
    config = EarlyStoppingConfig("loss", min_delta=1e9, patience=9, after_warmup=False)
    stopping = EarlyStopping(config)
    trainer(callbacks=[stopping, saving(tmp_path)]).train(X, 3, 16)
    other = EarlyStopping(config)
    trainer(callbacks=[other, saving(tmp_path)]).restore(tmp_path)
    assert (
        (other.wait_count, other.best_score) == (stopping.wait_count, stopping.best_score) != (0, 0)
    )


def test_the_last_and_the_best_are_kept(tmp_path):
    class Scores(ModelCheckpoint):
        """Saves under scores of its own."""

        def on_epoch_end(self, trainer, epoch, logs):
            """A score that is best in the second epoch."""
            super().on_epoch_end(trainer, epoch, logs | {"loss": [3.0, 1.0, 2.0, 4.0, 5.0][epoch]})

    config = CheckpointConfig(str(tmp_path), "loss", keep_last=2, save_top_k=1)
    loss = VAETrainer(VAETrainingConfig("none"))
    trainer(loss=loss, callbacks=[Scores(config)]).train(X, 5, 16)
    assert sorted(int(f.name) for f in tmp_path.iterdir() if f.name.isdigit()) == [6, 12, 15]


def test_nothing_in_a_checkpoint_is_a_pickle(tmp_path):
    trainer(callbacks=[saving(tmp_path)]).train(X, 1, 16)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not any(file.read_bytes().startswith(b"\x80\x04") for file in files)
    content = json.loads(next(tmp_path.rglob("content/*")).read_text())
    assert content["format"] == "artifex_compat.training/1"


def spoil_bytes(folder):
    data = max(
        (f for f in (folder / "arrays").rglob("*") if f.is_file()), key=lambda f: f.stat().st_size
    )
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 0xFF
    data.write_bytes(bytes(content))


def remove_arrays(folder):
    shutil.rmtree(folder / "arrays")


def truncate_content(folder):
    file = next((folder / "content").iterdir())
    file.write_text(file.read_text()[:20])


def of_another_program(folder):
    file = next((folder / "content").iterdir())
    file.write_text(json.dumps({"epoch": 3}))


@pytest.mark.parametrize(
    "spoil", [spoil_bytes, remove_arrays, truncate_content, of_another_program]
)
def test_a_broken_checkpoint_is_named_and_the_newest_good_one_used(tmp_path, spoil):
    whole = trainer(callbacks=[saving(tmp_path, keep_last=3)])
    whole.train(X, 3, 16)
    spoil(tmp_path / "9")
    again = trainer(callbacks=[saving(tmp_path, keep_last=3)])
    with pytest.warns(UserWarning, match="skipped step 9: "):
        assert again.restore(tmp_path) == 6
    again.train(X, 3, 16)
    assert_same(whole, again)


def test_what_an_interrupted_save_leaves_is_passed_over(tmp_path):
    trainer(callbacks=[saving(tmp_path)]).train(X, 1, 16)
    shutil.copytree(tmp_path / "3", tmp_path / "6.orbax-checkpoint-tmp")
    assert trainer().restore(tmp_path) == 3


def test_no_checkpoint_and_one_of_another_model_are_sentences(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint can be used: there is none"):
        trainer().restore(tmp_path / "nowhere")
    trainer(callbacks=[saving(tmp_path)]).train(X, 1, 16)
    encoder = MLPEncoder([9, 5], 4, input_dim=6, rngs=model().rngs)
    other = VAE(encoder, MLPDecoder([5], 6, 4, rngs=model().rngs), 4, rngs=model().rngs)
    run = Trainer(other, optimizer(other))
    before = arrays(run)
    with pytest.raises(
        CheckpointError, match=r"of another model: .* has the shape .* there, .* here"
    ):
        run.restore(tmp_path)
    for name, value in arrays(run).items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(ValueError, match="seed must be that of the run that was saved, 0, not 5"):
        trainer(seed=5).restore(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    run = trainer(callbacks=[saving(tmp_path / "file")])
    with pytest.raises(CheckpointError, match="the checkpoint of step 3 could not be written"):
        run.train(X, 2, 16)
    assert run.step == 3


def test_a_disk_that_is_full_costs_no_checkpoint_that_was_saved(tmp_path):
    run = trainer(callbacks=[saving(tmp_path)])
    run.train(LABELED, 1, 8)
    # Copies: what is held here would be copied by the run, and its compilation written to a file.
    saved = {name: value.copy() for name, value in arrays(run).items()}
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, most))  # as a full disk: no file grows beyond
    try:
        with pytest.raises(CheckpointError, match=r"checkpoint of step 12 could not be written: "):
            run.train(LABELED, 1, 8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    again = trainer()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # orbax tells of what the failed save left
        assert again.restore(tmp_path) == 6
    for name, value in arrays(again).items():
        np.testing.assert_array_equal(value, saved[name], err_msg=name)
