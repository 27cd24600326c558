"""Runs that meet checkpoints: another run's, later ones of their own, those of a cut-off call."""

import shutil

import numpy as np
import optax
import pytest

from artifex_compat.generative_models.training import Trainer, VAETrainer, VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import (
    Callback,
    CheckpointConfig,
    EarlyStopping,
    EarlyStoppingConfig,
    JSONLHistory,
    ModelCheckpoint,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointError, CheckpointStore
from tests.artifex_compat.train_make import X, arrays, assert_same, model, optimizer, trainer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")


def saving(folder, monitor="loss", **fields):
    return ModelCheckpoint(CheckpointConfig(str(folder), monitor, **fields))


def run(*callbacks, seed=0):
    """A trainer whose loss has no warm-up."""
    loss = VAETrainer(VAETrainingConfig("none"))
    return trainer(loss=loss, callbacks=callbacks, seed=seed)


def steps(folder):
    """Everything in a folder, which is to be checkpoints alone."""
    return sorted(int(path.name) for path in folder.iterdir())


class Scored(Callback):
    """Saves every epoch under a score of its own."""

    def __init__(self, folder, scores, **options):
        self.store, self.scores = CheckpointStore(folder, monitor="score", **options), scores

    def on_epoch_end(self, trainer, *arguments):
        """Save it."""
        trainer.save(self.store, self.scores[arguments[0]])


def test_checkpoints_of_another_run_are_moved_aside_and_named(tmp_path):
    folder, aside = tmp_path / "saved", tmp_path / "saved-2"
    (tmp_path / "saved-1").mkdir()
    first, second = run(saving(folder)), run(saving(folder), seed=1)
    first.train(X, 3, 16)
    (folder / "notes.txt").write_text("mine")
    with pytest.warns(UserWarning, match="another run.*saved-2") as warned:
        second.train(X, 2, 16)
    assert len(warned) == 1
    again = run(seed=1)
    assert again.restore(folder) == 6
    assert_same(again, second)
    assert (folder / "notes.txt").read_text() == "mine"
    old = run()
    assert old.restore(aside) == 9
    assert_same(old, first)
    with pytest.warns(UserWarning, match="another run.*saved-3"):
        first.train(X, 1, 16)  # it goes on, and its checkpoints are elsewhere
    assert run().restore(folder) == 12
    assert run(seed=1).restore(tmp_path / "saved-3") == 6


def test_the_same_callback_with_a_second_trainer_is_another_run(tmp_path):
    callback = saving(tmp_path / "saved")
    run(callback).train(X, 1, 16)
    with pytest.warns(UserWarning, match="another run"):
        run(callback, seed=1).train(X, 1, 16)
    assert run().restore(tmp_path / "saved-1") == 3


def test_a_run_restored_elsewhere_leaves_a_used_folder_whole(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    run(saving(a)).train(X, 1, 16)
    run(saving(b), seed=3).train(X, 2, 16)
    again = run(saving(b))
    again.restore(a)
    with pytest.warns(UserWarning, match="another run"):
        again.train(X, 2, 16)
    assert (run().restore(b), run(seed=3).restore(tmp_path / "b-1"), run().restore(a)) == (6, 6, 3)


@pytest.mark.parametrize("epochs", [2, 3])
def test_later_checkpoints_go_with_the_first_save_after_an_earlier_one(tmp_path, epochs):
    run(saving(tmp_path, keep_last=9)).train(X, 4, 16)
    assert steps(tmp_path) == [3, 6, 9, 12]
    again = run(saving(tmp_path, keep_last=9))
    again.restore(tmp_path, step=3)
    assert steps(tmp_path) == [3, 6, 9, 12]
    again.train(X[:32], epochs, 16)  # other data: two steps an epoch
    assert steps(tmp_path) == [3, 5, 7][:epochs]
    newest = run()
    newest.restore(tmp_path)
    assert_same(newest, again)


def test_a_failed_save_keeps_the_later_ones(tmp_path, monkeypatch):
    run(saving(tmp_path, keep_last=9)).train(X, 3, 16)
    again = run(saving(tmp_path, keep_last=9))
    again.restore(tmp_path, step=3)

    def full(*_, **__):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("orbax.checkpoint.Checkpointer.save", full)
        with pytest.raises(CheckpointError, match="step 6 could not be written: no space left"):
            again.train(X, 3, 16)
    assert steps(tmp_path) == [3, 6, 9]


def test_a_checkpoint_that_a_killed_save_was_replacing_is_still_there(tmp_path):
    run(saving(tmp_path)).train(X, 1, 16)
    (tmp_path / "3").rename(tmp_path / "3.replaced")
    (tmp_path / "6.orbax-checkpoint-tmp").mkdir()
    again = run(saving(tmp_path))
    assert again.restore(tmp_path) == 3
    again.train(X, 2, 16)
    assert steps(tmp_path) == [6]


def test_resumes_leave_nothing_behind(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(saving(whole)).train(X, 5, 16)
    for epochs in range(1, 6):
        again = run(saving(cut))
        if epochs > 1:
            again.restore(cut)
        again.train(X, epochs, 16)
    assert steps(cut) == steps(whole)


@pytest.mark.parametrize(
    ("scores", "mode", "best"),
    [
        ([1.0, float("nan"), 2.0, 3.0], "min", 3),
        ([float("nan"), 2.0, 1.0, float("inf")], "min", 9),
        ([1.0, 3.0, float("nan"), float("inf")], "max", 6),
        ([2.0, 2.0, None, 3.0], "min", 6),
    ],
)
def test_a_score_that_is_not_finite_is_the_worst(tmp_path, scores, mode, best):
    run(Scored(tmp_path, scores, mode=mode)).train(X, 4, 16)
    assert steps(tmp_path) == sorted({best, 12})
    restored = run()
    assert restored.restore(tmp_path, step="best") == best
    assert restored.step == best


def test_the_score_of_a_step_stays_when_it_is_saved_again_without_one(tmp_path):
    callback = Scored(tmp_path, [1.0, 2.0])
    made = run(callback)
    made.train(X, 1, 16)
    made.state.last_epoch = 9  # another fact of the same step
    made.save(callback.store)
    made.train(X, 1, 16)
    assert run().restore(tmp_path, "best") == 3


def test_the_best_needs_a_score_and_a_step_is_a_number_or_best(tmp_path):
    made = run(saving(tmp_path, monitor=None))
    made.train(X, 1, 16)
    with pytest.raises(CheckpointError, match="none has a score"):
        made.restore(tmp_path, step="best")
    with pytest.raises(ValueError, match="step must be the step of a checkpoint, or 'best'"):
        made.restore(tmp_path, step="newest")
    with pytest.raises(CheckpointError, match=r"there is none of step 8, only of 3"):
        made.restore(tmp_path, step=8)


def test_weights_alone_go_into_a_run_with_another_optimizer_and_seed(tmp_path):
    first = run(saving(tmp_path), EarlyStopping(EarlyStoppingConfig("loss")))
    first.train(X, 2, 16)
    made = model()
    again = Trainer(made, optimizer(made, optax.sgd(0.1, momentum=0.9)), seed=7)
    with pytest.raises(CheckpointError, match="it is of another optimizer"):
        again.restore(tmp_path)
    assert again.restore(tmp_path, weights_only=True) == 6
    assert (again.step, again.epoch, again.history) == (0, 0, [])
    had = arrays(first)
    for name, value in arrays(again).items():
        if name.startswith("0/"):
            np.testing.assert_array_equal(value, had[name], err_msg=name)
    again.train(X, 1, 16)
    assert again.step == 3


def test_an_optimizer_that_holds_weights_begins_from_those_restored(tmp_path):
    run(saving(tmp_path)).train(X, 1, 16)
    made = model()
    transform = optax.contrib.schedule_free_sgd(0.0)  # it holds a copy of the weights
    again = Trainer(made, optimizer(made, transform))
    again.restore(tmp_path, weights_only=True)
    before = arrays(again)["0/encoder/mean_proj/kernel"]
    again.train(X, 1, 16)
    np.testing.assert_allclose(arrays(again)["0/encoder/mean_proj/kernel"], before, atol=1e-6)


def test_num_epochs_after_restore_is_the_whole_of_the_call(tmp_path):
    whole = run()
    whole.train(X, 6, 16)
    run(saving(tmp_path)).train(X, 3, 16)
    again = run(saving(tmp_path))
    again.restore(tmp_path)
    for epochs in (2, 3):
        with pytest.warns(UserWarning, match=f"has 3 epochs, and num_epochs is {epochs}"):
            again.train(X, epochs, 16)
        assert again.epoch == 3
    again.train(X, 6, 16)
    assert_same(again, whole)
    again.train(X, 1, 16)
    assert again.epoch == 7


def test_the_second_of_two_calls_goes_on_to_its_own_end(tmp_path):
    first = run(saving(tmp_path))
    first.train(X, 2, 16)
    first.train(X, 1, 16)
    again = run(saving(tmp_path))
    again.restore(tmp_path)
    again.train(X, 2, 16)
    assert again.epoch == 4


def test_a_run_that_a_callback_ended_is_over(tmp_path):
    config = EarlyStoppingConfig("loss", min_delta=1e9, patience=1)
    run(EarlyStopping(config), saving(tmp_path)).train(X, 9, 16)
    again = run(EarlyStopping(config), saving(tmp_path))
    again.restore(tmp_path)
    with pytest.warns(UserWarning, match="has 2 epochs, and a callback ended it there"):
        again.train(X, 9, 16)
    assert again.epoch == 2


def test_the_end_of_a_run_is_saved_whatever_the_epochs_between_saves(tmp_path):
    run(saving(tmp_path, every_n_epochs=2)).train(X, 3, 16)
    assert run().restore(tmp_path) == 9


def test_time_saves_too(tmp_path):
    class Clock(ModelCheckpoint):
        """Notes the steps that it saves."""

        saved = ()

        def on_epoch_end(self, trainer, epoch, logs):
            """Look at the newest."""
            super().on_epoch_end(trainer, epoch, logs)
            self.saved += (tuple(self.store.folder.glob("[0-9]*")) != (),)

    often = Clock(CheckpointConfig(tmp_path / "a", None, every_n_epochs=99, every_n_seconds=0))
    never = Clock(CheckpointConfig(tmp_path / "b", None, every_n_epochs=99, every_n_seconds=None))
    run(often, never).train(X, 3, 16)
    assert often.saved == (False, True, True)
    assert never.saved == (False, False, False)


def test_two_callbacks_for_one_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must not save to one folder"):
        run(saving(tmp_path), saving(tmp_path / "x" / "..", monitor=None))


def test_a_stream_that_raised_midway_costs_the_next_call_nothing():
    def broken():
        yield X[:16]
        yield X[16:32]
        raise OSError("gone")

    made = run()
    with pytest.raises(OSError, match="gone"):
        made.train(broken(), 1)
    made.train([X[:16]], 1)
    assert made.step == 3


def test_an_epoch_goes_on_with_batches_of_its_size_only(tmp_path):
    made = run(saving(tmp_path, every_n_batches=1, keep_last=9))
    made.train(X, 1, 16)
    again = run(saving(tmp_path, every_n_batches=1))
    again.restore(tmp_path, step=2)
    with pytest.raises(ValueError, match=r"batch_size must be that .* cut off, 16, not 8"):
        again.train(X, 1, 8)
    again.train(X, 1, 16)
    assert_same(again, made)


def test_a_smaller_batch_at_the_end_is_not_taken_twice(tmp_path):
    def made():
        return trainer(callbacks=[saving(tmp_path, None, every_n_batches=4)], drop_remainder=False)

    whole = trainer(mode="step", drop_remainder=False)
    whole.train(X, 1, 16)

    class Stop(Callback):
        """Ends the run in validation."""

        def on_validation_begin(self, *_):
            """Raise."""
            raise OSError("gone")

    cut = trainer(
        callbacks=[saving(tmp_path, None, every_n_batches=4), Stop()], drop_remainder=False
    )
    with pytest.raises(OSError, match="gone"):
        cut.train(X, 1, 16, val_data=X)
    again = made()
    assert again.restore(tmp_path) == 4
    again.train(X, 1, 16)
    assert_same(again, whole)


def test_a_history_of_another_run_is_kept(tmp_path):
    lines = tmp_path / "rows.jsonl"
    run(JSONLHistory(lines)).train(X, 2, 16)
    had = lines.read_text()
    with pytest.warns(UserWarning, match=r"a file of another run; it is .*rows-1\.jsonl"):
        run(JSONLHistory(lines), seed=1).train(X, 1, 16)
    assert (tmp_path / "rows-1.jsonl").read_text() == had
    assert len(lines.read_text().splitlines()) == 1


def test_a_copied_folder_and_one_without_checkpoints(tmp_path):
    run(saving(tmp_path / "a")).train(X, 1, 16)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    again = run(saving(tmp_path / "b"))
    again.restore(tmp_path / "a")
    again.train(X, 2, 16)
    assert steps(tmp_path / "b") == [6]
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        with pytest.raises(CheckpointError, match="no checkpoint can be used: there is none"):
            run().restore(tmp_path / folder)
