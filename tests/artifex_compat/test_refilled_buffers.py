"""A numpy buffer that its owner fills anew after a call changes no result and no stored state.

JAX reads aligned memory of numpy where it stands, and may do so after the call has returned.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat import evaluation
from artifex_compat.data import Examples
from artifex_compat.edifice_weights import load_edifice_params
from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
)
from artifex_compat.generative_models.training import VAETrainer
from edifice_py import random, vae, vqvae
from edifice_py.activations import ACTIVATIONS
from edifice_py.core import quantize, reconstruction

ROWS, FEATURES = 4096, 784
ALIGNMENT = 64


def aligned(array):
    """A copy that JAX takes without copying it."""
    memory = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


X = np.random.default_rng(0).random((ROWS, FEATURES), dtype=np.float32)
ENCODER, DECODER = vae.build(
    input_size=FEATURES, latent_size=2, encoder_sizes=(8,), decoder_sizes=(8,)
)
PARAMS, OF_DECODER = ENCODER.init(0), DECODER.init(0)


class Overridden:
    """Methods of a user's, so that a model runs as it is written and not as one program."""

    def encode(self, *args, **kwargs):
        """The same."""
        return super().encode(*args, **kwargs)


def model(kind=VAE, **options):
    rngs = nnx.Rngs(0)
    encoder = MLPEncoder([8], 2, activation="relu", input_dim=FEATURES, rngs=rngs)
    decoder = MLPDecoder([8], FEATURES, 2, output_activation="linear", rngs=rngs)
    return kind(encoder, decoder, 2, rngs=rngs, **options)


def users(kind=VAE, **options):
    return model(type("Users", (Overridden, kind), {}), **options)


def first_kernel(x):
    """Parameters whose first kernel is numpy's memory."""
    layer = PARAMS["encoder_dense_0"] | {"kernel": x}
    return PARAMS | {"encoder_dense_0": layer}


def loaded(x):
    made = model()
    load_edifice_params(made, first_kernel(x), OF_DECODER)
    return made.encoder.backbone.layers[0].kernel[...]


def of_users_loss(x):
    def error(reconstructed, x):
        return jnp.mean(jnp.abs(jnp.sin(reconstructed) - jnp.sin(x)))

    made = users()
    outputs = made(X[:], rngs=nnx.Rngs(0))
    return made.loss_fn(x=x, outputs=outputs, reconstruction_loss_fn=error)


class Plain(nnx.Module):
    """A model of a user's that is called without a layer of ours."""

    def __call__(self, x):
        """As a VAE's outputs."""
        mean = jnp.sin(x) @ jnp.ones((x.shape[1], 2), x.dtype) / x.shape[1]
        return {"reconstructed": jnp.cos(x), "mean": mean, "log_var": mean}


KERNEL = np.asarray(PARAMS["encoder_dense_0"]["kernel"])
CODES = X[:, :64].copy()
CASES = {
    "a formula": (lambda x: reconstruction.squared_error(x, jnp.zeros_like(x)), X),
    "a formula, by name": (lambda x: reconstruction.squared_error(X, target=x), X),
    "a formula of a tuple": (
        lambda x: quantize.ema_update(
            quantize.MovingCodebook(np.ones(ROWS, np.float32), x, x), X[:8], np.arange(8), 0.5
        ),
        X,
    ),
    "vae.loss": (lambda x: vae.loss(x, X, X[:, :2], X[:, 2:4]), X),
    "vae.kl_divergence": (lambda x: vae.kl_divergence(x, X), X),
    "vae.reparameterize": (lambda x: vae.reparameterize(X, x, random.key(0)), X),
    "Model.apply, data": (lambda x: ENCODER.apply(PARAMS, x), X),
    "Model.apply, parameters": (lambda x: ENCODER.apply(first_kernel(x), X[:, :]), KERNEL),
    "vqvae.quantize": (lambda x: vqvae.quantize(x, X[:5, :64].copy()), CODES),
    "vqvae.quantize, codebook": (lambda x: vqvae.quantize(CODES[:64], x), CODES),
    "vqvae.loss": (lambda x: vqvae.loss(X, X, x, CODES), CODES),
    "random.uniform": (lambda x: random.uniform(random.key(0), X.shape, minval=x, maxval=9.0), X),
    "an activation": (lambda x: ACTIVATIONS["gelu"](x), X),
    "a model": (lambda x: model()(x, rngs=nnx.Rngs(0)), X),
    "a user's model": (lambda x: users()(x, rngs=nnx.Rngs(0)), X),
    "a user's encode": (lambda x: users().encode(x), X),
    "a user's loss": (of_users_loss, X),
    "an encoder": (lambda x: model().encoder(x), X),
    "a condition": (
        lambda x: users(ConditionalVAE, num_classes=FEATURES).encode(X, x),
        X,
    ),
    "codes of a user's model": (
        lambda x: users(VQVAE, num_embeddings=4, embedding_dim=3).quantize(x),
        X[:, :2].copy(),
    ),
    "compute_loss": (lambda x: VAETrainer().compute_loss(users(), {"image": x}), X),
    "compute_loss, a plain model": (lambda x: VAETrainer().compute_loss(Plain(), x), X),
    "load_edifice_params": (loaded, KERNEL),
    "Examples": (lambda x: Examples(x).as_batch(), X),
    "Examples, factors": (lambda x: Examples(X, x).as_batch(), X),
}


@pytest.mark.parametrize("case", CASES)
def test_a_buffer_that_is_filled_anew_after_a_call(case):
    call, array = CASES[case]
    wanted = jax.tree.map(np.array, call(array.copy()))  # compiled, too
    buffer = aligned(array)
    result = call(buffer)
    buffer[...] = 7
    jax.tree.map(np.testing.assert_array_equal, result, wanted)


class Refilled:
    """Batches that are all in one buffer, which is filled anew for each."""

    def __init__(self, *arrays):
        self._arrays = arrays

    def __iter__(self):
        buffers = {name: aligned(array) for name, array in self._arrays[0].items()}
        for arrays in self._arrays:
            for name, array in arrays.items():
                buffers[name][...] = array
            yield buffers
        for buffer in buffers.values():
            buffer[...] = 7


BATCHES = [
    {"image": X[start : start + 200], "labels": np.arange(start, start + 200) // 3 % 7}
    for start in (0, 200, 400)
]
EVALUATIONS = {
    "disentanglement": lambda made, data: evaluation.evaluate_disentanglement(
        made, data, metrics=["mig"]
    ),
    "elbo": lambda made, data: evaluation.model_elbo(made, data, observation="gaussian"),
    "likelihood": lambda made, data: evaluation.model_log_likelihood(
        made, data, observation="gaussian", samples=2
    ),
    "mse": evaluation.model_reconstruction_mse,
    "health": lambda made, data: repr(evaluation.health_report(made, data)),
}


@pytest.mark.parametrize("case", EVALUATIONS)
def test_evaluation_of_batches_in_one_buffer(case):
    made, evaluate = model(), EVALUATIONS[case]
    wanted = evaluate(made, [dict(batch) for batch in BATCHES])
    assert evaluate(made, Refilled(*BATCHES)) == wanted
