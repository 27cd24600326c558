"""Early stopping, histories, the progress bar."""

import csv
import dataclasses
import json

import pytest

from artifex_compat.generative_models.training import VAETrainer, VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import (
    CheckpointConfig,
    CSVHistory,
    EarlyStopping,
    EarlyStoppingConfig,
    JSONLHistory,
    ModelCheckpoint,
    ProgressBar,
)
from tests.artifex_compat.train_make import X, trainer


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


def test_early_stopping_can_wait_for_the_warm_up_of_the_kl():
    loss = VAETrainer(VAETrainingConfig(kl_warmup_steps=9))
    config = EarlyStoppingConfig("loss", min_delta=1e9, patience=1)
    waiting = EarlyStopping(config)
    trainer(loss=loss, callbacks=[waiting]).train(X, 20, 16)
    eager = EarlyStopping(dataclasses.replace(config, after_warmup=False))
    with pytest.warns(UserWarning, match="ended at step 6, before its warm-up of 9 steps"):
        trainer(loss=loss, callbacks=[eager]).train(X, 20, 16)
    assert (eager.stopped_epoch, waiting.stopped_epoch) == (1, 4)


@pytest.mark.parametrize(
    ("kind", "steps"), [("none", 0), ("linear", 7), ("sigmoid", 7), ("cyclical", 3)]
)
def test_where_the_warm_up_ends(kind, steps):
    config = VAETrainingConfig(kind, kl_warmup_steps=7, cyclical_period=5)
    assert VAETrainer(config).warmup_steps == steps


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
