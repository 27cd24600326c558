"""Small models, data and trainers for the tests of training."""

import jax
import numpy as np
import optax
from flax import nnx

from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
)
from artifex_compat.generative_models.training import Trainer, VAETrainer, VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import (
    Callback,
    CheckpointConfig,
    ModelCheckpoint,
)

X = np.random.default_rng(0).random((50, 6), dtype=np.float32)
LABELED = {"image": X, "label": np.arange(50) % 3}
KINDS = ("vae", "normalised", "conditional", "vq")


def model(kind="vae", users=None):
    """A small model; with `users`, of a class of a user's that overrides some of its methods."""

    def of(base):
        return type("Users", (users, base), {}) if users else base

    rngs = nnx.Rngs(0)
    norm = {"use_batch_norm": True} if kind == "normalised" else {}
    encoder = MLPEncoder([8, 5], 4, input_dim=6, rngs=rngs, **norm)
    decoder = MLPDecoder([5], 6, 4, rngs=rngs)
    if kind == "vq":
        options = {"num_embeddings": 6, "embedding_dim": 2, "use_ema": True}
        return of(VQVAE)(
            encoder, decoder, 4, dead_code_threshold=0.3, kmeans_init=True, **options, rngs=rngs
        )
    if kind == "conditional":
        return of(ConditionalVAE)(encoder, decoder, 4, num_classes=3, rngs=rngs)
    return of(VAE)(encoder, decoder, 4, rngs=rngs)


def optimizer(of, transform=None):
    return nnx.Optimizer(of, transform or optax.adam(1e-2), wrt=nnx.Param)


def trainer(kind="vae", *, loss=None, **options):
    """A trainer of the model's own loss, or of a `VAETrainer` where the model has a KL."""
    made = model(kind)
    if loss is None and kind != "vq":
        loss = VAETrainer(VAETrainingConfig(kl_warmup_steps=10))
    return Trainer(made, optimizer(made), loss, **options)


def saving(folder, monitor="loss", **fields):
    """A callback that saves to a folder."""
    return ModelCheckpoint(CheckpointConfig(str(folder), monitor, **fields))


def run(*callbacks, seed=0):
    """A trainer whose loss has no warm-up."""
    loss = VAETrainer(VAETrainingConfig("none"))
    return trainer(loss=loss, callbacks=callbacks, seed=seed)


def arrays(of):
    """Everything that a trainer's model and optimizer hold, by name."""
    return {
        "/".join(map(str, path)): np.asarray(
            jax.random.key_data(item[...])
            if jax.dtypes.issubdtype(item.dtype, jax.dtypes.prng_key)
            else item[...]
        )
        for path, item in nnx.iter_graph((of.model, of.optimizer))
        if isinstance(item, nnx.Variable)
    }


def assert_same(a, b):
    """Every bit of two trainers, and their histories."""
    assert a.history == b.history
    first, second = arrays(a), arrays(b)
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


class Recorder(Callback):
    """Notes every event."""

    def __init__(self):
        self.events = []

    def on_train_begin(self, *_):
        """Note it."""
        self.events.append("train_begin")

    def on_train_end(self, *_):
        """Note it."""
        self.events.append("train_end")

    def on_epoch_begin(self, *arguments):
        """Note it."""
        self.events.append(f"epoch_begin {arguments[1]}")

    def on_epoch_end(self, trainer, *arguments):
        """Note it, with the step."""
        self.events.append(f"epoch_end {arguments[0]} {trainer.step}")

    def on_validation_begin(self, *_):
        """Note it."""
        self.events.append("validation_begin")

    def on_validation_end(self, *_):
        """Note it."""
        self.events.append("validation_end")


class BatchRecorder(Recorder):
    """Notes batches too."""

    def on_batch_begin(self, *arguments):
        """Note it."""
        self.events.append(f"batch_begin {arguments[1]}")

    def on_batch_end(self, *arguments):
        """Note it."""
        self.events.append(f"batch_end {arguments[1]}")


class StopAt(Callback):
    """Raises at a batch, as Ctrl-C or a broken disk does."""

    def __init__(self, epoch, batch, error=KeyboardInterrupt):
        self.place, self.error = (epoch, batch), error

    def on_batch_end(self, trainer, *arguments):
        """Raise at the place."""
        if (trainer.epoch, arguments[0]) == self.place:
            raise self.error
