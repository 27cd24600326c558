"""What each argument of trainers and of checkpoints is changed to; see argument_cases."""

import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh

from artifex_compat.generative_models.training import Trainer, VAETrainer, VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import CheckpointConfig, ModelCheckpoint
from artifex_compat.generative_models.training.checkpoints import Lineage
from tests.artifex_compat.make import state_of
from tests.artifex_compat.train_make import Recorder, X, model, optimizer

BATCH = {"image": X[:16]}
HALF = X[:25] / 2
PLAIN = VAETrainingConfig("none")
TRAINER_ARGUMENTS = (
    *("loss", "callbacks", "seed", "loss_type", "drop_remainder", "mode", "mesh"),
    "compute_dtype",
)


def weights(made):
    return {str(path): value for path, value in state_of(made).items()}


def noisy(made, batch, rng):
    """A loss of the user's, with noise."""
    return made.loss_fn(x=batch)["loss"] + jax.random.normal(rng)


def of_trainer(**given):
    """The history of a run, the weights after it and where they are, and what heard of it."""
    made, recorder = given.pop("model", model)(), Recorder()
    of = optimizer(made, given.pop("optimizer", None))
    options = {name: given.pop(name) for name in TRAINER_ARGUMENTS if name in given}
    if "callbacks" in options:
        options["callbacks"] = [recorder]
    run = Trainer(made, of, **{"loss": noisy, **options})
    run.train(**{"train_data": X, "num_epochs": 1, "batch_size": 16, **given})
    place = type(made.encoder.mean_proj.kernel[...].sharding).__name__
    return [repr(run.history), run.mode, repr(recorder.events), place], weights(made)


def of_step(**given):
    """A step of a `VAETrainer`, and the weights after it."""
    made = given.pop("model", model)()
    of = optimizer(made, given.pop("optimizer", None))
    options = {"batch": BATCH, "step": 3, **given}
    return VAETrainer().train_step(made, of, **options), weights(made)


def of_vae_trainer(**given):
    """Two steps of a `VAETrainer` that has its model, and the weights after them."""
    made = given.get("model", model)()
    run = VAETrainer(made, optimizer(made, given.get("optimizer")), given.get("config"))
    return [run.train_step(BATCH, step=step) for step in (3, 4)], weights(made)


def of_loss(step=None, loss_type=None):
    loss = VAETrainer().create_loss_fn(step, loss_type)
    return loss(model(), BATCH, None, *(() if isinstance(step, int) else (9,)))


def of_checkpoints(dirpath="here", **given):
    """Which checkpoints there are after a run."""

    class Run:
        step, warmup_steps, history, lineage = 0, 0, (), Lineage()

        def save(self, store, score):
            """Write one."""
            store.save(self.step, {"model": {"w": np.ones(1)}}, {}, score, self.lineage)

    with tempfile.TemporaryDirectory() as folder:
        options = {"monitor": "loss", "every_n_seconds": None, **given}
        run = Run()
        callback = ModelCheckpoint(CheckpointConfig(str(Path(folder) / dirpath), **options))
        callback.on_train_begin(run)
        for epoch, score in enumerate((0.5, 0.7, 9.0, 1.0)):
            for batch in range(2):
                run.step += 1
                callback.on_batch_end(run, batch, {})
            callback.on_epoch_end(run, epoch, {"loss": score, "other": -score})
        return sorted(str(path.relative_to(folder)) for path in Path(folder).glob("*/[0-9]*"))


def other_model():
    return model("normalised")


STEP = {
    "model": {"model": other_model},
    "optimizer": {"optimizer": optax.sgd(0.1)},
    "batch": {"batch": {"image": X[:15]}},
    "step": {"step": 5000},
    "loss_type": {"loss_type": "mae"},
}
TRAINER_CASES = {
    Trainer: (
        of_trainer,
        {
            "model": {"model": other_model},
            "optimizer": {"optimizer": optax.sgd(0.1)},
            "loss": {"loss": VAETrainer(PLAIN)},
            "callbacks": {"callbacks": True},
            "seed": {"seed": 1},
            "loss_type": {"loss_type": "mae"},
            "drop_remainder": {"drop_remainder": False},
            "mode": {"mode": "step"},
            "mesh": {"mesh": Mesh(np.array(jax.devices()[:1]), ("data",))},
            "compute_dtype": {"compute_dtype": jnp.bfloat16},
        },
    ),
    Trainer.train: (
        of_trainer,
        {
            "train_data": {"train_data": 0.5 * X},
            "num_epochs": {"num_epochs": 2},
            "batch_size": {"batch_size": 25},
            "val_data": {"val_data": HALF},
            "shuffle": {"shuffle": False},
        },
    ),
    VAETrainer: (
        of_vae_trainer,
        {
            "model": STEP["model"],
            "optimizer": STEP["optimizer"],
            "config": {"config": PLAIN},
        },
    ),
    VAETrainer.train_step: (of_step, STEP),
    VAETrainer.create_loss_fn: (of_loss, {"step": {"step": 5000}, "loss_type": STEP["loss_type"]}),
    CheckpointConfig: (
        of_checkpoints,
        {
            "dirpath": {"dirpath": "there"},
            "monitor": {"monitor": "other"},
            "mode": {"mode": "max"},
            "save_top_k": {"save_top_k": 2},
            "keep_last": {"keep_last": 2},
            "every_n_epochs": {"every_n_epochs": 3},
            "every_n_batches": {"every_n_batches": 1},
            "every_n_seconds": {"every_n_seconds": 0.0},
        },
    ),
}
TRAINER_BESIDE = {
    (CheckpointConfig, name): {"keep_last": 9} for name in ("every_n_batches", "every_n_seconds")
}
