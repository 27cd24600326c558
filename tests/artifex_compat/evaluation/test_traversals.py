"""Walks in the latent space: what is moved, what stays, and what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.evaluation import latent_interpolations, latent_traversals, traversals
from artifex_compat.generative_models.models.vae import VAE, VQVAE, ConditionalVAE
from tests.artifex_compat.make import IMAGE, LATENT, by_config, images, state_of

WITH_STATE = {
    "encoder": {"use_batch_norm": True, "dropout_rate": 0.3},
    "decoder": {"batch_norm": True, "dropout_rate": 0.3},
}
Z = np.array([0.5, -1.0, 2.0], np.float32)
WEIGHTS = np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]], np.float32)
LINEAR = VAE(
    encoder=lambda x: (x @ WEIGHTS.T, jnp.zeros((x.shape[0], 3))),
    decoder=lambda z: z @ WEIGHTS,
    latent_dim=3,
    rngs=nnx.Rngs(0),
)
X = np.eye(2, dtype=np.float32)


def test_a_traversal_moves_one_latent_and_no_other():
    walked = latent_traversals(LINEAR, Z, values=[-3, 0, 4.5])
    assert walked.dtype == np.float32
    assert walked.shape == (3, 3, 2)
    for dim in range(3):
        for step, value in enumerate((-3, 0, 4.5)):
            moved = Z.copy()
            moved[dim] = value
            np.testing.assert_allclose(walked[dim, step], moved @ WEIGHTS, rtol=1e-6)


def test_the_default_values_are_the_documented_ones():
    walked = latent_traversals(LINEAR, np.zeros(3, np.float32), dims=[1])
    expected = np.linspace(-3, 3, 11)[:, None] * WEIGHTS[1]
    np.testing.assert_allclose(walked, expected[None], rtol=1e-5, atol=1e-5)


def test_chosen_latents_come_in_their_order_and_the_base_stays():
    base = jnp.asarray(Z)[None]
    both = latent_traversals(LINEAR, Z)
    np.testing.assert_array_equal(latent_traversals(LINEAR, base, dims=(2, 0)), both[[2, 0]])
    np.testing.assert_array_equal(base[0], Z)


def test_few_vectors_at_a_time_give_the_same(monkeypatch):
    whole = latent_traversals(LINEAR, Z)
    monkeypatch.setattr(traversals, "BATCH", 4)
    np.testing.assert_allclose(latent_traversals(LINEAR, Z), whole, rtol=1e-6)


@pytest.mark.parametrize("kind", [VAE, ConditionalVAE])
def test_a_traversal_is_the_models_own_for_inference_and_changes_nothing(kind):
    model = by_config(kind, **WITH_STATE)
    model(images())
    before = state_of(model)
    mean = model.encode(images()[:1])[0]
    found = latent_traversals(model, mean, dims=[1], values=np.linspace(-3, 3, 5))
    own = model.latent_traversal(images()[0], 1, steps=5)
    np.testing.assert_allclose(found, own[None], rtol=1e-5, atol=1e-6)
    assert all((state_of(model)[path] == value).all() for path, value in before.items())


@pytest.mark.parametrize("kind", [VAE, ConditionalVAE, VQVAE])
def test_interpolations_are_the_models_own(kind):
    model = by_config(kind, **WITH_STATE)
    model(images())
    x = images(4)
    found = latent_interpolations(model, x[:2], x[2:], 5)
    assert found.dtype == np.float32
    assert found.shape == (2, 5, *IMAGE)
    for pair in range(2):
        own = model.interpolate(x[pair], x[2 + pair], 5)
        np.testing.assert_array_equal(found[pair], own)


def test_interpolations_are_lines_between_the_means():
    found = latent_interpolations(LINEAR, X, 3 * X[::-1], 4)
    through = WEIGHTS.T @ WEIGHTS
    weights = np.linspace(0, 1, 4)[None, :, None]
    expected = (X[:, None] * (1 - weights) + 3 * X[::-1, None] * weights) @ through
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_conditions_are_those_that_are_given():
    model, x = by_config(ConditionalVAE), images(4)
    mean = model.encode(x[:1], 2)[0]
    walked = latent_traversals(model, mean, dims=[0], values=[-1, 1], condition=2)
    own = model.latent_traversal(x[0], 0, (-1, 1), 2, y=2)
    np.testing.assert_allclose(walked[0], own, rtol=1e-6)
    assert np.abs(walked - latent_traversals(model, mean, dims=[0], values=[-1, 1])).max() > 1e-4
    one = latent_interpolations(model, x[:2], x[2:], 3, condition=1)
    each = latent_interpolations(model, x[:2], x[2:], 3, condition=np.array([1, 2]))
    np.testing.assert_array_equal(one[0], each[0])
    np.testing.assert_array_equal(each[1], model.interpolate(x[1], x[3], 3, y=2))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: latent_traversals(LINEAR, np.zeros((2, 3))), "z_base must be one latent vector"),
        (lambda: latent_traversals(LINEAR, np.array([0, np.nan, 0])), "z_base must be finite"),
        (lambda: latent_traversals(LINEAR, Z, dims=[3]), "from 0 to 2, not 3"),
        (lambda: latent_traversals(LINEAR, Z, dims=[-1]), "from 0 to 2, not -1"),
        (lambda: latent_traversals(LINEAR, Z, dims=[]), "at least one latent"),
        (lambda: latent_traversals(LINEAR, Z, values=[]), "values must be a list of numbers"),
        (lambda: latent_traversals(LINEAR, Z, values=["a"]), "values must be a list of numbers"),
        (lambda: latent_traversals(LINEAR, Z, values=[np.inf]), "values must be finite"),
        (lambda: latent_traversals(by_config(VAE), np.zeros(LATENT + 1)), "4"),
        (lambda: latent_traversals(by_config(VQVAE), np.zeros(LATENT)), "which a VQVAE has not"),
        (lambda: latent_interpolations(LINEAR, Z, Z), "start and end must be as many"),
        (lambda: latent_interpolations(LINEAR, X, X, 0), "steps must be a positive"),
        (
            lambda: latent_interpolations(LINEAR, X, X, condition=[1, 2, 1]),
            "condition must be one, or 2",
        ),
        (
            lambda: latent_traversals(by_config(ConditionalVAE), np.zeros(LATENT), condition=99),
            "not 99",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_a_list_is_no_array():
    with pytest.raises(TypeError, match="z_base must be an array"):
        latent_traversals(LINEAR, [0.0, 1.0, 2.0])
