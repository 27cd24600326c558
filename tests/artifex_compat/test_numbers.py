"""Integers are numbers wherever arrays meet: nothing is cast to the type of its neighbour."""

import jax.numpy as jnp
import numpy as np
import pytest

from artifex_compat.evaluation import reconstruction_mse
from artifex_compat.evaluation.densities import likelihood
from artifex_compat.generative_models.models.vae import ConditionalVAE, losses
from artifex_compat.generative_models.training import VAETrainer
from tests.artifex_compat.make import by_parts

WHOLE = np.array([[0, 1]], np.uint8)
HALF = np.array([[0.75, 0.25]], np.float32)


@pytest.mark.parametrize("pair", [(WHOLE, HALF), (HALF, WHOLE)])
def test_a_reconstruction_error_of_integers_beside_floats(pair):
    reconstructed, x = pair
    outputs = {"reconstructed": jnp.asarray(reconstructed)}
    assert losses.reconstruction(jnp.asarray(x), outputs, "mse") == 0.5625
    assert reconstruction_mse(reconstructed, x).value == 0.5625
    trainer = VAETrainer()
    assert trainer.compute_reconstruction_loss(x, reconstructed, "mse") == 1.125
    assert trainer.compute_reconstruction_loss(x, reconstructed, "mae") == 1.5


def test_differences_of_bytes_are_negative_too():
    x, found = np.array([[200]], np.uint8), np.array([[210]], np.uint8)
    assert VAETrainer().compute_reconstruction_loss(x, found, "mae") == 10
    assert (
        losses.reconstruction(jnp.asarray(x), {"reconstructed": jnp.asarray(found)}, "mse") == 100
    )


def test_the_variance_of_a_likelihood_is_not_rounded_to_an_integer():
    of_gaussian = likelihood("gaussian", variance=0.5)
    found = of_gaussian(jnp.asarray(HALF), jnp.asarray(WHOLE))
    np.testing.assert_allclose(found, -1.125 - np.log(np.pi), rtol=1e-6)


@pytest.mark.parametrize("condition_type", ["concat", "add"])
def test_bytes_do_not_round_their_condition(condition_type):
    model = by_parts(ConditionalVAE, num_classes=2, condition_type=condition_type)
    x, y = np.full((2, 48), 1, np.uint8), jnp.array([[0.5, 0.5], [0.25, 0.75]])
    of_bytes, of_floats = (model.encode(jnp.asarray(x, kind), y)[0] for kind in ("u1", "f4"))
    np.testing.assert_allclose(of_bytes, of_floats, rtol=1e-6)
