"""The warm-up of a loss: when it ends, and what is compared before it does."""

import dataclasses

import pytest
from flax import nnx

from artifex_compat.generative_models.models.vae import BetaVAEWithCapacity
from artifex_compat.generative_models.training import Trainer, VAETrainer, VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import (
    CheckpointConfig,
    EarlyStopping,
    EarlyStoppingConfig,
    ModelCheckpoint,
)
from tests.artifex_compat.train_make import X, model, optimizer, trainer

WITHOUT_WARMUP = VAETrainer(VAETrainingConfig("none"))


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


@pytest.mark.parametrize("kind", ["none", "linear", "sigmoid", "cyclical"])
def test_validation_has_the_full_weight_of_the_kl_at_every_step(kind):
    loss = VAETrainer(VAETrainingConfig(kind, kl_warmup_steps=40, beta=4.0, cyclical_period=30))
    run = trainer(loss=loss)
    run.train(X, 8, 16, val_data=X)
    assert {row["val_kl_weight"] for row in run.history} == {4.0}
    for row in run.history:
        whole = row["val_reconstruction_loss"] + 4 * row["val_kl_loss"]
        assert row["val_loss"] == pytest.approx(whole, rel=1e-5)
    assert run.evaluate(X, 16)["kl_weight"] == 4.0


@pytest.mark.parametrize(
    ("options", "steps", "name", "end"),
    [
        ({"beta_default": 3.0, "beta_warmup_steps": 50}, 50, "val_beta", 3.0),
        ({"use_capacity_control": True, "capacity_max": 2.0}, 40, "val_current_capacity", 2.0),
    ],
)
def test_validation_of_a_models_own_loss_has_the_weights_of_its_end(options, steps, name, end):
    parts = model()
    options = {"beta_default": 1.0, "capacity_num_iter": 40} | options
    made = BetaVAEWithCapacity(parts.encoder, parts.decoder, 4, **options, rngs=nnx.Rngs(0))
    run = Trainer(made, optimizer(made))
    run.train(X, 2, 16, val_data=X)
    assert run.warmup_steps == steps
    assert {row[name] for row in run.history} == {end}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
def test_a_metric_of_training_is_compared_after_the_warm_up_only(tmp_path):
    loss = VAETrainer(VAETrainingConfig(kl_warmup_steps=7))
    saved = ModelCheckpoint(CheckpointConfig(tmp_path, "kl_weight"))
    run = trainer(loss=loss, callbacks=[saved])
    run.train(X, 5, 16)
    assert [row["kl_weight"] for row in run.history][2:] == [pytest.approx(20 / 21), 1, 1]
    assert trainer(loss=loss).restore(tmp_path, step="best") >= 12


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
def test_a_run_that_ends_in_its_warm_up_says_so_once(tmp_path):
    both = [EarlyStopping(), ModelCheckpoint(CheckpointConfig(tmp_path))]
    run = trainer(loss=VAETrainer(), callbacks=both)
    with pytest.warns(UserWarning, match="step 3, before its warm-up of 10000 steps") as warned:
        run.train(X, 1, 16, val_data=X)
    assert len(warned) == 1
    run.train(X, 1, 16, val_data=X)
    assert trainer(callbacks=[EarlyStopping()]).restore(tmp_path, "best") in (3, 6)
    trainer("vq", loss=VAETrainer(), callbacks=[EarlyStopping()]).train(X, 1, 16, val_data=X)
