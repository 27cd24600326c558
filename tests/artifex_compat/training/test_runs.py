"""Runs that meet checkpoints: another run's, later ones of their own, those of a cut-off call."""

import shutil

import pytest

from artifex_compat.generative_models.training.callbacks import (
    Callback,
    CheckpointConfig,
    JSONLHistory,
    ModelCheckpoint,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointError, CheckpointStore
from tests.artifex_compat.train_make import X, assert_same, run, saving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")


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
