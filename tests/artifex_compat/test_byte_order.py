"""Arrays in the other byte order give the numbers of the same arrays in this machine's.

Each program is compiled for the native order before: JAX then takes the bytes as they stand.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from artifex_compat import evaluation
from artifex_compat.data import Examples
from artifex_compat.generative_models.core.configuration import (
    ConditionalVAEConfig,
    DecoderConfig,
    EncoderConfig,
    VAEConfig,
)
from artifex_compat.generative_models.models.vae import VAE, ConditionalVAE
from artifex_compat.generative_models.training import Trainer
from artifex_compat.generative_models.training.trainers import VAETrainer, VAETrainingConfig
from edifice_py import random, vae
from edifice_py.activations import ACTIVATIONS

X = np.random.default_rng(0).random((8, 6), dtype=np.float32)
LABELS = np.arange(8, dtype=np.int32) % 3
MEAN, LOG_VAR = X[:, :2], X[:, 2:4]


def swapped(tree):
    return jax.tree.map(
        lambda array: (
            array.astype(array.dtype.newbyteorder(">")) if isinstance(array, np.ndarray) else array
        ),
        tree,
    )


def sizes(kind, **others):
    parts = {"hidden_dims": (5,), "activation": "relu", "latent_dim": 2}
    return kind(
        name="small",
        encoder=EncoderConfig(name="encoder", input_shape=(6,), **parts),
        decoder=DecoderConfig(name="decoder", output_shape=(6,), **parts),
        **others,
    )


@pytest.fixture(scope="module")
def model():
    return VAE(sizes(VAEConfig), rngs=nnx.Rngs(0))


@pytest.fixture(scope="module")
def conditional():
    config = sizes(ConditionalVAEConfig, num_classes=3, condition_dim=3)
    return ConditionalVAE(config, rngs=nnx.Rngs(0))


def same(function, *arrays):
    native = function(*arrays)
    jax.tree.map(
        lambda a, b: np.testing.assert_array_equal(np.asarray(a), np.asarray(b)),
        native,
        function(*swapped(arrays)),
    )


ENCODER, DECODER = vae.build(input_size=6, latent_size=2, encoder_sizes=(4,), decoder_sizes=(4,))
PARAMS = jax.tree.map(np.asarray, ENCODER.init(0))
KEY = np.asarray(random.key(1))

EDIFICE = {
    "loss": (vae.loss, X, X / 2, MEAN, LOG_VAR),
    "loss, beta": (lambda b: vae.loss(X, X / 2, MEAN, LOG_VAR, beta=b), np.array(0.5, np.float32)),
    "kl": (vae.kl_divergence, MEAN, LOG_VAR),
    "reparameterize": (vae.reparameterize, MEAN, LOG_VAR, KEY),
    "apply": (ENCODER.apply, PARAMS, X),
    "apply, integers": (ENCODER.apply, PARAMS, np.arange(6, dtype=np.int64)),
    "uniform": (lambda k, low: random.uniform(k, (8, 2), minval=low), KEY, -MEAN),
    "normal": (lambda k, mean: random.normal(k, (8, 2), mean=mean), KEY, MEAN),
    "split": (random.split, KEY),
    "fold_in": (random.fold_in, KEY, np.arange(3)),
}


@pytest.mark.parametrize("case", EDIFICE)
def test_functions_of_edifice(case):
    same(*EDIFICE[case])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_axon(name):
    same(ACTIVATIONS[name], X)


def still(call, **options):
    return lambda model, *arrays: getattr(model, call)(*arrays, **options)


MODEL = {
    "call": (lambda model, x: model(x, rngs=nnx.Rngs(0)), X),
    "encode": (still("encode"), X),
    "decode": (still("decode"), MEAN),
    "encoder": (still("encoder"), X),
    "decoder": (still("decoder"), MEAN),
    "reconstruct": (still("reconstruct", deterministic=True), X),
    "interpolate": (still("interpolate", steps=3), X[0], X[1]),
    "traversal": (still("latent_traversal", dim=0, steps=3), X),
    "reparameterize": (lambda m, *a: m.reparameterize(*a, rngs=nnx.Rngs(0)), MEAN, LOG_VAR),
    "loss": (lambda m, x: m.loss_fn(x=x, rng=nnx.Rngs(0)), X),
    "loss of a batch": (lambda m, x: m.loss_fn(batch={"image": x}, rng=nnx.Rngs(0)), X),
}


@pytest.mark.parametrize("case", MODEL)
def test_calls_of_a_model(case, model):
    call, *arrays = MODEL[case]
    same(lambda *arrays: call(model, *arrays), *arrays)


def test_labels_and_rows_of_a_condition(conditional):
    same(lambda x, y: conditional(x, y, rngs=nnx.Rngs(0)), X, LABELS)
    same(conditional.encode, X, np.eye(3, dtype=np.float32)[LABELS])


def trained(x, trainer):
    model = VAE(sizes(VAEConfig), rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    return trainer(model, optimizer, x)


TRAINERS = {
    "in memory": lambda *a: Trainer(*a[:2]).train(a[2], num_epochs=1, batch_size=4)[-1]["loss"],
    "stream": lambda *a: Trainer(*a[:2]).train([X, a[2]], num_epochs=1)[-1]["loss"],
    "validation": lambda *a: Trainer(*a[:2]).train(X, num_epochs=1, batch_size=4, val_data=a[2])[
        -1
    ]["val_loss"],
    "evaluate": lambda *a: Trainer(*a[:2]).evaluate(a[2], batch_size=4)["loss"],
    "step": lambda *a: [Trainer(*a[:2]).train_step(x)["loss"] for x in (X, a[2])],
}


@pytest.mark.parametrize("case", TRAINERS)
def test_training(case):
    same(lambda x: trained(x, TRAINERS[case]), X)


def test_the_compiled_step_of_a_vae_trainer():
    def step(model, optimizer, x):
        trainer = VAETrainer(model, optimizer, VAETrainingConfig())
        trainer.train_step({"image": X})
        return trainer.train_step({"image": x})[0]

    same(lambda x: trained(x, step), X)


EVALUATION = {
    "mse": (lambda x, y: evaluation.reconstruction_mse(x, y).value, X, X / 2),
    "kl": (lambda *a: evaluation.kl_per_dimension(*a).value, MEAN, LOG_VAR),
    "examples": (lambda x, f: jax.tree.map(jnp.asarray, Examples(x, f).as_batch()), X, MEAN),
}


@pytest.mark.parametrize("case", EVALUATION)
def test_evaluation(case):
    same(*EVALUATION[case])


def test_evaluation_of_a_model(model):
    same(
        lambda x: float(evaluation.model_elbo(model, {"image": x})),
        X,
    )
