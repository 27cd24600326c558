"""Every model learns the digits, on a fixed seed: all are held against what needs no learning."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from sklearn.datasets import load_digits

from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    BetaVAEWithCapacity,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
)

DIGITS = load_digits()
IMAGES = (DIGITS.data / 16).astype(np.float32)
TRAIN, TEST = IMAGES[:1500], IMAGES[1500:]
LABELS, TEST_LABELS = DIGITS.target[:1500], DIGITS.target[1500:]
MEAN_IMAGE_ERROR = float(np.mean((TEST - TRAIN.mean(axis=0)) ** 2))


def made(model, latent, **options):
    rngs = nnx.Rngs(0)
    encoder = MLPEncoder([128, 64], latent, input_dim=64, rngs=rngs)
    decoder = MLPDecoder([64, 128], 64, latent, rngs=rngs)
    return model(encoder, decoder, latent, **options, rngs=rngs)


def trained(model, steps=300, *, with_labels=False):
    """The model after some steps, and the terms of the last one."""
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its step count
        optimizer = nnx.Optimizer(model, optax.adam(2e-3), wrt=nnx.Param)

        @nnx.jit
        def step(model, optimizer, x, labels, number):
            def loss(model):
                outputs = model(x, labels) if with_labels else model(x)
                terms = model.loss_fn(x=x, outputs=outputs, step=number)
                return terms["loss"], terms

            (_, terms), gradients = nnx.value_and_grad(loss, has_aux=True)(model)
            optimizer.update(model, gradients)
            return terms

        random = np.random.default_rng(0)
        for number in range(steps):
            rows = random.integers(0, len(TRAIN), 128)
            terms = step(model, optimizer, TRAIN[rows], LABELS[rows], jnp.asarray(number))
    return terms


def error(model, *labels):
    """Mean squared error of the test images' reconstructions."""
    return float(np.mean((model.reconstruct(TEST, *labels, deterministic=True) - TEST) ** 2))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (VAE, {"kl_weight": 1e-3}),
        (BetaVAE, {"beta_default": 4e-3, "beta_warmup_steps": 100}),
        (BetaVAE, {"beta_warmup_steps": 100, "reconstruction_loss_type": "bce"}),
    ],
)
def test_the_vae_and_the_beta_vae_learn(model, options):
    learned = made(model, 8, **options)
    terms = trained(learned)
    assert error(learned) < 0.55 * MEAN_IMAGE_ERROR
    assert terms["kl_loss"] > 1


def test_a_larger_beta_leaves_less_in_the_latents():
    kl = [trained(made(BetaVAE, 8, beta_default=beta), 150)["kl_loss"] for beta in (1e-3, 3e-2)]
    assert kl[1] < 0.6 * kl[0]


def test_the_capacity_holds_the_kl():
    learned = made(
        BetaVAEWithCapacity,
        8,
        use_capacity_control=True,
        capacity_max=10.0,
        capacity_num_iter=200,
        gamma=0.02,
    )
    terms = trained(learned)
    np.testing.assert_allclose(terms["kl_loss"], 10, atol=1)
    assert error(learned) < 0.75 * MEAN_IMAGE_ERROR


def test_labels_help_the_conditional_vae():
    learned = made(ConditionalVAE, 2, kl_weight=1e-3)
    trained(learned, with_labels=True)
    with_labels = error(learned, TEST_LABELS)
    assert with_labels < 0.55 * MEAN_IMAGE_ERROR
    assert with_labels < 0.8 * error(learned, (TEST_LABELS + 1) % 10)


def test_a_digit_that_is_asked_for_is_drawn():
    learned = made(ConditionalVAE, 2, kl_weight=1e-2)
    trained(learned, with_labels=True)
    mean_images = np.stack([TRAIN[digit == LABELS].mean(axis=0) for digit in range(10)])
    asked = np.repeat(np.arange(10), 20)
    drawn = np.asarray(learned.sample(200, y=asked))
    nearest = np.argmin(((drawn[:, None] - mean_images) ** 2).sum(-1), axis=1)
    assert np.mean(nearest == asked) > 0.7


def test_the_vq_vae_learns_and_uses_its_codebook():
    options = {"use_ema": True, "ema_decay": 0.9, "dead_code_threshold": 0.5}
    learned = made(VQVAE, 16, num_embeddings=64, embedding_dim=4, **options)
    trained(learned)
    assert error(learned) < 0.5 * MEAN_IMAGE_ERROR
    _, aux = learned.quantize(learned.encode(TEST)[0])
    assert aux["perplexity"] > 0.3 * 64


def test_the_vq_vae_learns_by_gradient_too():
    learned = made(VQVAE, 16, num_embeddings=64, embedding_dim=4)
    trained(learned)
    assert error(learned) < 0.6 * MEAN_IMAGE_ERROR
