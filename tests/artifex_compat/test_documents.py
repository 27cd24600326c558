"""What the documents' programs do, in our words and small, under the names that they import."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import artifex_compat.aliases  # noqa: F401 # each test imports as a document does
from tests.artifex_compat.make import images

IMAGE = (8, 8, 1)
LATENT = 4
LABELS = jnp.array([0, 1, 2])
X = images(shape=IMAGE)
OUTPUTS = ["reconstructed", "reconstruction", "mean", "log_var", "logvar", "z"]


def fresh():
    return nnx.Rngs(params=0, dropout=1, sample=2)


def dense_parts(rngs, shape=IMAGE, latent_dim=LATENT):
    from workshop.generative_models.models.vae.decoders import MLPDecoder
    from workshop.generative_models.models.vae.encoders import MLPEncoder

    shared = {"latent_dim": latent_dim, "activation": "relu", "rngs": rngs}
    return {
        "encoder": MLPEncoder(hidden_dims=[7, 5], input_dim=shape, **shared),
        "decoder": MLPDecoder(hidden_dims=[5, 7], output_dim=shape, **shared),
        "latent_dim": latent_dim,
        "rngs": rngs,
    }


def dense_vae(shape=IMAGE):
    from workshop.generative_models.models.vae import VAE

    return VAE(**dense_parts(fresh(), shape))


def beta_of_a_configuration():
    from workshop.generative_models.core.configuration import ModelConfiguration
    from workshop.generative_models.modalities.image import ImageModalityConfig
    from workshop.generative_models.models.vae import create_vae_model

    config = ModelConfiguration(
        model_name="beta_vae",
        model_type="vae",
        modality_config=ImageModalityConfig(representation="RGB", height=8, width=8, channels=3),
        architecture="mlp",
        latent_dim=LATENT,
        parameters={"encoder_features": [7, 5], "decoder_features": [5, 7], "beta": 4.0},
    )
    return create_vae_model(config, rngs=nnx.Rngs(0))


def test_beta_vae_learns_by_a_loss_of_its_user():
    model, rgb = beta_of_a_configuration(), images(shape=(8, 8, 3))

    def beta_loss(model, batch, beta):
        out = model(batch["data"])
        error = jnp.mean((batch["data"] - out["reconstruction"]) ** 2)
        kl = -0.5 * jnp.mean(1 + out["logvar"] - out["mean"] ** 2 - jnp.exp(out["logvar"]))
        return error + beta * kl, {"reconstruction_loss": error, "kl_loss": kl}

    @nnx.jit
    def step(model, optimizer, batch, beta):
        graded = nnx.value_and_grad(beta_loss, has_aux=True)
        (_, terms), grads = graded(model, batch, beta)
        optimizer.update(model, grads)
        return terms

    optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
    with jax.numpy_dtype_promotion("standard"):  # Adam raises a float to a whole number
        terms = [step(model, optimizer, {"data": rgb}, 1 + 3 * min(i / 10, 1)) for i in range(20)]
    assert terms[-1]["reconstruction_loss"] < terms[0]["reconstruction_loss"]
    assert terms[-1]["kl_loss"] < terms[0]["kl_loss"]


def test_a_walk_by_hand_is_the_latent_traversal():
    model, rgb = beta_of_a_configuration(), images(shape=(8, 8, 3))
    means = np.concatenate([np.array(model(batch)["mean"]) for batch in (rgb, rgb[:2])])
    assert np.var(means, axis=0).shape == (LATENT,)
    for dim in (0, LATENT - 1):
        rows = []
        for value in np.linspace(-3, 3, 5):
            z = means[0].copy()
            z[dim] = value
            rows.append(model.decode(z[None, :])[0])
        walked = model.latent_traversal(rgb[0], dim=dim, steps=5)
        np.testing.assert_allclose(walked, np.stack(rows), atol=1e-6)


def test_capacity_control_and_warm_up_follow_the_step():
    from workshop.generative_models.models.vae import BetaVAE, BetaVAEWithCapacity

    options = {"beta_default": 4.0, "reconstruction_loss_type": "mse"}
    warming = BetaVAE(**dense_parts(fresh()), **options, beta_warmup_steps=10)
    control = {"use_capacity_control": True, "capacity_max": 25.0, "capacity_num_iter": 100}
    model = BetaVAEWithCapacity(**dense_parts(fresh()), **options, **control, gamma=1000.0)
    for step in (0, 5, 1000):
        losses = warming.loss_fn(x=X, outputs=warming(X, rngs=fresh()), step=step)
        assert float(losses["beta"]) == pytest.approx(4.0 * min(step / 10, 1))
        losses = model.loss_fn(x=X, outputs=model(X), step=step)
        assert float(losses["current_capacity"]) == pytest.approx(25.0 * min(step / 100, 1))
        gap = losses["kl_loss"] - losses["current_capacity"]
        np.testing.assert_allclose(losses["kl_capacity_diff"], gap, rtol=1e-6)
        np.testing.assert_allclose(losses["capacity_loss"], 1000 * jnp.abs(gap), rtol=1e-6)
        assert {"loss", "total_loss", "reconstruction_loss"} <= losses.keys()


@pytest.mark.parametrize("shape", [IMAGE, (12,)])
def test_every_method_of_the_reference(shape):
    vae, x, rngs = dense_vae(shape), images(shape=shape), fresh()
    mean, log_var = vae.encode(x, rngs=rngs)
    z = vae.reparameterize(mean, log_var, rngs=rngs)
    assert mean.shape == log_var.shape == z.shape == (3, LATENT)
    assert vae.decode(z, rngs=rngs).shape == x.shape
    outputs = vae(x, rngs=rngs)
    assert list(outputs) == OUTPUTS
    losses = vae.loss_fn(x=x, outputs=outputs)
    assert losses["total_loss"] == losses["loss"]
    assert vae.sample(n_samples=5, temperature=2.0, rngs=rngs).shape == (5, *shape)
    assert vae.generate(n_samples=5, temperature=1.0, rngs=rngs).shape == (5, *shape)
    assert vae.reconstruct(x, deterministic=True, rngs=rngs).shape == x.shape
    assert vae.interpolate(x[0], x[1], steps=5, rngs=rngs).shape == (5, *shape)
    walk = vae.latent_traversal(x=x[0], dim=2, range_vals=(-3.0, 3.0), steps=5, rngs=rngs)
    assert walk.shape == (5, *shape)
    with pytest.raises(ValueError, match="out of range"):
        vae.latent_traversal(x[0], LATENT)


@pytest.mark.parametrize("jit", [nnx.jit, jax.jit])
def test_counts_are_static_when_compiled(jit):
    vae = dense_vae()
    sample = jit(lambda model, n: model.sample(n), static_argnums=(1,))
    assert sample(vae, 5).shape == (5, *IMAGE)
    line = jit(lambda model, x1, x2, steps: model.interpolate(x1, x2, steps), static_argnums=(3,))
    wanted = vae.interpolate(X[0], X[1], 5)
    np.testing.assert_allclose(line(vae, X[0], X[1], 5), wanted, atol=1e-6)


def test_conditional_parts_make_samples_of_given_classes():
    from workshop.generative_models.models.vae import ConditionalVAE
    from workshop.generative_models.models.vae.decoders import ConditionalDecoder
    from workshop.generative_models.models.vae.encoders import ConditionalEncoder

    rngs = fresh()
    base = dense_parts(rngs)
    embedded = {"num_classes": 10, "embed_dim": 6, "rngs": rngs}
    encoder = ConditionalEncoder(encoder=base["encoder"], **embedded)
    decoder = ConditionalDecoder(decoder=base["decoder"], **embedded)
    mean, _ = encoder(X, condition=LABELS, rngs=rngs)
    assert decoder(mean, condition=LABELS, rngs=rngs).shape == X.shape
    parts = {"encoder": encoder, "decoder": decoder, "latent_dim": LATENT}
    cvae = ConditionalVAE(**parts, condition_dim=10, rngs=rngs)
    assert list(cvae(X, y=LABELS, rngs=rngs)) == OUTPUTS
    assert cvae.sample(n_samples=3, y=jnp.array([5, 5, 5]), rngs=rngs).shape == X.shape
    each = cvae.decode(jnp.zeros((10, LATENT)), jnp.arange(10))
    assert len(np.unique(np.asarray(each), axis=0)) == 10


def test_vq_vae_tells_the_terms_of_its_loss():
    from workshop.generative_models.models.vae import VQVAE

    rngs = fresh()
    codes = {"num_embeddings": 16, "embedding_dim": LATENT, "commitment_cost": 0.25}
    vqvae = VQVAE(**dense_parts(rngs), **codes)
    outputs = vqvae(X, rngs=rngs)
    assert outputs["z_e"].shape == outputs["quantized"].shape == (3, LATENT)
    losses = vqvae.loss_fn(x=X, outputs=outputs)
    commitment, codebook = losses["commitment_loss"], losses["codebook_loss"]
    total = losses["reconstruction_loss"] + codebook + 0.25 * commitment
    np.testing.assert_allclose(losses["loss"], total, rtol=1e-6)
    _, aux = vqvae.quantize(outputs["z_e"], rngs=rngs)
    assert {"commitment_loss", "codebook_loss", "encoding_indices"} <= aux.keys()


@pytest.mark.parametrize("conditional", [False, True])
def test_unified_encoders_and_decoders(conditional):
    from workshop.generative_models.core.configuration import ModelConfiguration
    from workshop.generative_models.models.vae import (
        create_decoder_unified,
        create_encoder_unified,
    )

    config = ModelConfiguration(
        input_shape=IMAGE, latent_dim=LATENT, parameters={"encoder_features": [4, 3]}
    )
    of_class = {"num_classes": 3, "embed_dim": 2} if conditional else {}
    options = {"config": config, "conditional": conditional, **of_class, "rngs": fresh()}
    encoder = create_encoder_unified(encoder_type="cnn", **options)
    decoder = create_decoder_unified(decoder_type="dense", **options)
    condition = {"condition": LABELS} if conditional else {}
    assert decoder(encoder(X, **condition)[0], **condition).shape == X.shape


def test_the_four_steps_of_training_are_the_model_s_own():
    model = dense_vae()
    mean, log_var = model.encode(X)
    z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(fresh().sample(), mean.shape)
    np.testing.assert_allclose(model.reparameterize(mean, log_var, rngs=fresh()), z, rtol=1e-5)
    kl = -0.5 * jnp.sum(1 + log_var - mean**2 - jnp.exp(log_var)) / len(X)
    reconstructed = model.decode(z)
    beta = 0.5
    loss = jnp.mean((X - reconstructed) ** 2) + beta * kl
    outputs = {"reconstructed": reconstructed, "mean": mean, "log_var": log_var, "z": z}
    losses = model.loss_fn(x=X, outputs=outputs, beta=beta)
    np.testing.assert_allclose(losses["loss"], loss, rtol=1e-5)


PROGRAM = """
import jax.numpy as jnp
from flax import nnx
from workshop.generative_models.models.vae import BetaVAE
from workshop.generative_models.models.vae.encoders import CNNEncoder
from workshop.generative_models.models.vae.decoders import CNNDecoder

rngs = nnx.Rngs(params=0, dropout=1, sample=2)
shared = {"latent_dim": 4, "activation": "relu", "rngs": rngs}
model = BetaVAE(
    encoder=CNNEncoder(hidden_dims=[4, 5], input_dim=(8, 8, 1), **shared),
    decoder=CNNDecoder(hidden_dims=[5, 4], output_dim=(8, 8, 1), **shared),
    latent_dim=4,
    beta_default=4.0,
    beta_warmup_steps=10,
    rngs=rngs,
)
x = jnp.ones((3, 8, 8, 1))
losses = model.loss_fn(x=x, outputs=model(x, rngs=rngs), step=5)
print(f"{losses['beta']:.1f}", model.sample(n_samples=2, temperature=1.0, rngs=rngs).shape)
print(model.latent_traversal(x[0], dim=1, steps=5, rngs=rngs).shape)
"""


def test_a_whole_program_runs_unchanged(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-W", "error", "-m", "artifex_compat", "program.py"]
    env = os.environ | {
        "JAX_ENABLE_COMPILATION_CACHE": "false"
    }  # JAX 0.9 complains of its own files
    run = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (run.stderr, run.stdout) == ("", "2.0 (2, 8, 8, 1)\n(5, 8, 8, 1)\n")
