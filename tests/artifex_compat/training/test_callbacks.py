"""Early stopping, histories, the progress bar."""

import csv
import json
from functools import partial

import numpy as np
import pytest

from artifex_compat.generative_models.training import VAETrainer, VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import (
    Callback,
    CheckpointConfig,
    CSVHistory,
    EarlyStopping,
    EarlyStoppingConfig,
    JSONLHistory,
    ModelCheckpoint,
    ProgressBar,
)
from tests.artifex_compat.train_make import X, arrays, trainer

WITHOUT_WARMUP = VAETrainer(VAETrainingConfig("none"))


class Run:
    """What early stopping sees of a trainer."""

    step, warmup_steps, should_stop = 0, 0, False


def stopped_after(values, **fields):
    """The epoch after which early stopping ends a run of these values, None if it does not."""
    run, stopping = Run(), EarlyStopping(EarlyStoppingConfig("loss", **fields))
    for epoch, value in enumerate(values):
        run.step = epoch
        stopping.on_epoch_end(run, epoch, {"loss": value})
        if run.should_stop:
            assert stopping.stopped_epoch == epoch
            return epoch
    return None


@pytest.mark.parametrize(
    ("values", "fields", "epoch"),
    [
        ([3, 2, 1, 0], {"patience": 1}, None),
        ([3, 2, 2, 2, 2], {"patience": 2}, 3),
        ([3, 2, 2.5, 1, 2, 2], {"patience": 2}, 5),
        ([3, 2.9, 2.8], {"patience": 2, "min_delta": 0.5}, 2),
        ([1, 2, 3, 2, 2], {"patience": 2, "mode": "max"}, 4),
        ([3, float("nan"), 1], {"patience": 5}, 1),
        ([3, float("nan"), 1], {"patience": 5, "check_finite": False}, None),
        ([3, 4], {"patience": 0}, 1),
    ],
)
def test_early_stopping(values, fields, epoch):
    assert stopped_after(values, **fields) == epoch


def test_a_metric_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(KeyError, match=r"monitor must be one of kl_loss, .*give the run val_data"):
        trainer(callbacks=[EarlyStopping()]).train(X, 1, 16)


@pytest.mark.parametrize(
    ("config", "fields", "words"),
    [
        (EarlyStoppingConfig, {"mode": "least"}, "mode must be one of max, min"),
        (EarlyStoppingConfig, {"patience": -1}, "patience must be a non-negative integer"),
        (CheckpointConfig, {"save_top_k": 0}, "save_top_k must be a positive integer"),
        (CheckpointConfig, {"dirpath": ""}, "dirpath must be a string that is not empty"),
    ],
)
def test_configs_are_checked_when_made(config, fields, words):
    with pytest.raises(ValueError, match=words):
        config(**fields)


def test_histories(tmp_path):
    lines, table = tmp_path / "history.jsonl", tmp_path / "history.csv"
    run = trainer(callbacks=[JSONLHistory(lines), CSVHistory(table)])
    run.train(X, 2, 16, val_data=X[:10])
    assert [json.loads(line) for line in lines.read_text().splitlines()] == run.history
    with table.open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows == run.history
    assert {"epoch", "step", "loss", "val_loss"} <= rows[0].keys()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
@pytest.mark.parametrize("lines_of", [lambda whole: whole[:1], lambda whole: whole])
def test_a_history_of_a_run_that_was_cut_off_is_that_of_the_whole(tmp_path, lines_of):
    """Cut off behind the checkpoint of an epoch and before its line, or after lines more."""
    lines, saved = tmp_path / "history.jsonl", tmp_path / "checkpoints"
    trainer(callbacks=[JSONLHistory(lines)]).train(X, 3, 16)
    whole = lines.read_text()
    trainer(callbacks=[ModelCheckpoint(CheckpointConfig(saved, None))]).train(X, 2, 16)
    lines.write_text("".join(lines_of(whole.splitlines(keepends=True))))
    again = trainer(callbacks=[JSONLHistory(lines)])
    again.restore(saved)
    again.train(X, 3, 16)
    assert lines.read_text() == whole


def test_a_progress_bar_is_silent_where_there_is_no_terminal(capsys):
    trainer(callbacks=[ProgressBar()]).train(X, 1, 16)
    assert capsys.readouterr() == ("", "")


class Documented:
    """Not a `Callback`, with some of its methods."""

    def __init__(self, *names):
        self.heard = []
        for name in names:
            setattr(self, name, partial(self._hear, name))

    def _hear(self, name, trainer, *_):
        self.heard.append((name, trainer.step))


def test_an_object_with_some_of_the_methods_is_a_callback():
    epochs = Documented("on_train_begin", "on_epoch_end")
    batches = Documented("on_batch_end", "on_train_end")
    assert trainer(callbacks=[epochs]).mode == "epoch"
    trainer(callbacks=[epochs, batches]).train(X, 1, 25)
    assert epochs.heard == [("on_train_begin", 0), ("on_epoch_end", 2)]
    assert batches.heard == [("on_batch_end", 1), ("on_batch_end", 2), ("on_train_end", 2)]


@pytest.mark.parametrize(
    ("callbacks", "words"),
    [
        ([object()], "must have methods of Callback, like on_epoch_end"),
        ([EarlyStopping], r"must be objects, not classes: write EarlyStopping\(...\)"),
        ([Documented("on_epoch_ends", "on_train_end")], "did you mean 'on_epoch_end'"),
        (EarlyStopping(), "callbacks must be a sequence of callbacks"),
    ],
)
def test_what_would_never_hear_of_a_run_is_refused(callbacks, words):
    with pytest.raises(TypeError, match=words):
        trainer(callbacks=callbacks)


class Counting(Callback):
    """A callback with a state."""

    def __init__(self, count=0):
        self.count = count

    def state(self):
        """The count."""
        return {"count": self.count}

    def load_state(self, state):
        """Go on from it."""
        self.count = state["count"]


class Other(Counting):
    """Another one."""


def saving(folder):
    return ModelCheckpoint(CheckpointConfig(folder, None))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
def test_states_are_given_back_by_class_in_any_order(tmp_path):
    trainer(callbacks=[saving(tmp_path), Counting(1), Other(2), Counting(3)]).train(X, 1, 16)
    first, second, other = Counting(), Counting(), Other()
    trainer(callbacks=[other, first, second, saving(tmp_path)]).restore(tmp_path)
    assert (first.count, second.count, other.count) == (1, 3, 2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
@pytest.mark.parametrize(
    ("had", "has", "words"),
    [
        ([Counting(1), Other(2)], [Counting()], "has the state of Other, and this trainer has no"),
        ([Counting(1)], [Other(), Counting()], "has no state of Other, which begins anew"),
    ],
)
def test_states_without_a_callback_and_callbacks_without_a_state_are_named(
    tmp_path, had, has, words
):
    trainer(callbacks=[*had, saving(tmp_path)]).train(X, 1, 16)
    again = trainer(callbacks=has)
    before = arrays(again)
    with pytest.raises(UserWarning, match=words):  # in the suite warnings are errors
        again.restore(tmp_path)
    for name, value in arrays(again).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    with pytest.warns(UserWarning, match=words):
        again.restore(tmp_path)
    assert (has[-1].count, again.step) == (1, 3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
def test_a_state_that_json_cannot_hold_is_named(tmp_path):
    run = trainer(callbacks=[Counting(X), saving(tmp_path)])
    with pytest.raises(TypeError, match=r"Counting\.state\(\) must be what JSON can hold"):
        run.train(X, 1, 16)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
@pytest.mark.parametrize("first", [True, False])
def test_a_checkpoint_holds_what_all_callbacks_made_of_the_epoch(tmp_path, first):
    def callbacks():
        stopping = EarlyStopping(EarlyStoppingConfig("kl_loss", 1e9, 3, after_warmup=False))
        pair = [saving(tmp_path), stopping]
        return (pair if first else pair[::-1]), stopping

    both, stopping = callbacks()
    trainer(loss=WITHOUT_WARMUP, callbacks=both).train(X, 2, 16)
    both, again = callbacks()
    run = trainer(loss=WITHOUT_WARMUP, callbacks=both)
    run.restore(tmp_path)
    assert again.wait_count == stopping.wait_count == 1
    run.train(X, 9, 16)
    assert (run.epoch, again.stopped_epoch) == (4, 3)


def test_early_stopping_begins_anew_with_another_trainer_and_waits_again_after_it_stopped():
    stopping = EarlyStopping(EarlyStoppingConfig("loss", 1e9, 2, after_warmup=False))
    runs = [trainer(loss=WITHOUT_WARMUP, callbacks=[stopping]) for _ in range(2)]
    for run in runs:
        run.train(X, 9, 16)
        assert (run.epoch, stopping.stopped_epoch) == (3, 2)
    runs[1].train(X, 9, 16)
    assert runs[1].epoch == 5


def test_early_stopping_ends_a_run_whose_metric_is_nan_in_the_warm_up_too():
    run, stopping = Run(), EarlyStopping(EarlyStoppingConfig("val_loss"))
    run.warmup_steps = 99
    stopping.on_epoch_end(run, 0, {"val_loss": float("nan")})
    assert run.should_stop
