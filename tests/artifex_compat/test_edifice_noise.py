"""A model that draws as Edifice: the same noise, the same key afterwards; compiled, and saved."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from artifex_compat.edifice_noise import draw_as_edifice, edifice_key
from artifex_compat.generative_models.models.vae import VAE, MLPDecoder, MLPEncoder
from artifex_compat.generative_models.training import Trainer
from artifex_compat.generative_models.training.callbacks import CheckpointConfig, ModelCheckpoint
from edifice_py import random
from edifice_py.generative import vae

X = jax.random.uniform(jax.random.key(0), (8, 6))


def model(seed=3):
    rngs = nnx.Rngs(0)
    made = VAE(
        MLPEncoder([5], 2, input_dim=6, rngs=rngs), MLPDecoder([5], 6, 2, rngs=rngs), 2, rngs=rngs
    )
    draw_as_edifice(made, random.key(seed))
    return made


def test_two_draws_are_those_of_edifice():
    made = model()
    mean, log_var = jnp.ones((4, 2)), jnp.zeros((4, 2))
    first, key = vae.reparameterize(mean, log_var, random.key(3))
    second, key = vae.reparameterize(mean, log_var, key)
    np.testing.assert_allclose(made.reparameterize(mean, log_var), first, atol=5e-7)
    compiled = nnx.jit(lambda made: made.reparameterize(mean, log_var))
    np.testing.assert_allclose(compiled(made), second, atol=5e-7)
    np.testing.assert_array_equal(edifice_key(made), key)


def test_a_checkpoint_holds_the_key(tmp_path):
    run = trainer(ModelCheckpoint(CheckpointConfig(tmp_path, "loss")))
    run.train(X, 2, 4)
    again = trainer()
    again.restore(tmp_path)
    np.testing.assert_array_equal(edifice_key(again.model), edifice_key(run.model))
    assert np.any(edifice_key(run.model) != random.key(3))


def trainer(*callbacks):
    made = model()
    return Trainer(made, nnx.Optimizer(made, optax.adam(1e-2), wrt=nnx.Param), callbacks=callbacks)


def test_what_is_refused():
    made = model()
    with pytest.raises(ValueError, match=r"uint32 \[2\], as from edifice_py.random.key\(0\), not"):
        draw_as_edifice(made, jnp.zeros(2))
    with pytest.raises(TypeError, match=r"rngs must be an nnx.Rngs, like nnx.Rngs\(0\), not None"):
        draw_as_edifice(object(), random.key(0))
    with pytest.raises(TypeError, match="normal noise only, and has no keys for JAX"):
        made.rngs.sample()
    with pytest.raises(TypeError, match="must draw as Edifice: call draw_as_edifice"):
        edifice_key(VAE.__new__(VAE))
