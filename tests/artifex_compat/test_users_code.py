"""What users build from the parts: subclasses, late weights, transforms, mixed arguments."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.core.configuration import BetaVAEConfig, ModelConfiguration
from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    ConditionalDecoder,
    ConditionalEncoder,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
    SpatialDecoder,
    SpatialEncoder,
    create_vae_model,
)
from tests.artifex_compat.make import (
    IMAGE,
    LATENT,
    by_config,
    by_parts,
    decoder_config,
    encoder_config,
    images,
    parts,
    state_of,
)

X = images(3, (48,))


class Documented(VAE):
    """A subclass whose methods have the documented signatures, and no more."""

    def encode(self, x, *, rngs=None):
        """The same."""
        return super().encode(x, rngs=rngs)

    def decode(self, z):
        """The same."""
        return super().decode(z)


def test_a_subclass_trains_its_networks_in_training_mode():
    given = parts()
    given["encoder"] = MLPEncoder(
        [7, 5], LATENT, input_dim=48, use_batch_norm=True, dropout_rate=0.5, rngs=nnx.Rngs(0)
    )
    model = Documented(**given, rngs=nnx.Rngs(0))
    before = state_of(model)
    first, second = model(X)["mean"], model(X)["mean"]
    assert not jnp.array_equal(first, second)
    assert any(
        path[-1] == "mean" and np.any(v != before[path]) for path, v in state_of(model).items()
    )
    np.testing.assert_array_equal(model.encode(X)[0], model.encode(X)[0])


def test_dropout_comes_from_the_rngs_that_are_given_or_put_in_the_models_place():
    given = parts()
    given["encoder"] = MLPEncoder([7], LATENT, input_dim=48, dropout_rate=0.5, rngs=nnx.Rngs(0))
    model = VAE(**given, rngs=nnx.Rngs(0))
    a, b = (model(X, rngs=nnx.Rngs(5))["mean"] for _ in range(2))
    np.testing.assert_array_equal(a, b)
    for _ in range(2):
        model.rngs = nnx.Rngs(5)
        np.testing.assert_array_equal(model(X)["mean"], a)


class Switched(nnx.Module):
    """A user's encoder with a mode of its own."""

    def __call__(self, x, *, deterministic=False):
        """Where its mode shows."""
        mean = jnp.full((x.shape[0], LATENT), 1.0 if deterministic else 2.0)
        return mean, mean


def test_a_network_with_a_deterministic_argument_gets_it():
    model = VAE(Switched(), parts()["decoder"], LATENT, rngs=nnx.Rngs(0))
    assert model(X)["mean"][0, 0] == 2
    assert model.encode(X)[0][0, 0] == 1


@pytest.mark.parametrize("condition_type", ["concat", "add"])
def test_inference_before_the_first_batch_makes_weights_that_stay(condition_type):
    rngs = nnx.Rngs(0)
    options = {"condition_type": condition_type}
    encoder = ConditionalEncoder(MLPEncoder([7], LATENT, rngs=rngs), 3, rngs=rngs, **options)
    decoder = ConditionalDecoder(MLPDecoder([7], 48, LATENT, rngs=rngs), 3, rngs=rngs, **options)
    model = ConditionalVAE(encoder, decoder, LATENT, rngs=rngs)
    labels = jnp.arange(3)
    first = model.encode(X, labels)[0]
    model.sample(2)
    np.testing.assert_array_equal(first, model.encode(X, labels)[0])


@pytest.mark.parametrize("model", [VAE, VQVAE, ConditionalVAE])
def test_a_graph_hashes_and_models_can_be_copied_and_pickled_in_parts(model):
    made = by_config(model)
    graphdef, state = nnx.split(made)
    run = jax.jit(lambda graphdef, state, x: nnx.merge(graphdef, state).encode(x), static_argnums=0)
    np.testing.assert_allclose(
        run(graphdef, state, images())[0], made.encode(images())[0], atol=1e-6
    )
    np.testing.assert_array_equal(copy.deepcopy(made).encode(images())[0], made.encode(images())[0])


def test_a_decoder_can_be_pickled():
    decoder = MLPDecoder([4], 3, LATENT, rngs=nnx.Rngs(0))
    z = jnp.ones((2, LATENT))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(decoder))(z), decoder(z))  # noqa: S301


def test_spatial_networks_refuse_what_they_have_not():
    with pytest.raises(ValueError, match="use_layer_norm must be off in a spatial network"):
        SpatialEncoder(config=encoder_config(use_layer_norm=True), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"dropout_rate must be off .*, not 0\.5"):
        SpatialEncoder(config=encoder_config(dropout_rate=0.5), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="use_batch_norm must be off in a spatial network"):
        SpatialDecoder(config=decoder_config(batch_norm=True), rngs=nnx.Rngs(0))


def test_a_conditional_model_on_a_grid_samples():
    model = by_config(ConditionalVAE, encoder_type="spatial", num_classes=3)
    assert model.sample(2, y=jnp.array([0, 1])).shape == (2, *IMAGE)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda r: MLPEncoder(encoder_config(), latent_dim=9, rngs=r),
            TypeError,
            "latent_dim stands",
        ),
        (
            lambda r: MLPEncoder([3], config=encoder_config(), rngs=r),
            TypeError,
            "hidden_dims stands",
        ),
        (
            lambda r: MLPDecoder(decoder_config(), output_dim=9, rngs=r),
            TypeError,
            "output_dim stands",
        ),
        (lambda r: MLPEncoder(decoder_config(), rngs=r), TypeError, "must be an EncoderConfig"),
        (
            lambda r: VAE(**parts() | {"latent_dim": 3}, rngs=r),
            ValueError,
            "the encoder's, 4, not 3",
        ),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make(nnx.Rngs(0))


def test_precision_reaches_weights_that_are_made_later():
    encoder = MLPEncoder([7], LATENT, rngs=nnx.Rngs(0))
    model = VAE(encoder, parts()["decoder"], LATENT, precision="highest", rngs=nnx.Rngs(0))
    model(X)
    assert encoder.mean_proj.precision is jax.lax.Precision.HIGHEST


def test_a_network_without_a_condition_takes_none():
    model = by_parts(ConditionalVAE)
    model.encoder = parts()["encoder"]
    with pytest.raises(TypeError, match="a MLPEncoder takes no condition: wrap it"):
        model.encode(X, jnp.arange(3))


def test_numbers_of_numpy_and_jax_are_numbers():
    config = {"name": "m", "encoder": encoder_config(), "decoder": decoder_config()}
    for beta in (np.float32(4), jnp.float32(4)):
        assert BetaVAEConfig(**config, beta_default=beta).beta_default == 4.0


@pytest.mark.parametrize(
    ("model_type", "name"), [("conditional_vae", "kl_weight"), ("beta_vae", "beta_default")]
)
def test_beta_is_the_weight_of_every_models_kl(model_type, name):
    config = ModelConfiguration(
        model_type=model_type, input_shape=(6,), latent_dim=2, parameters={"beta": 2.0}
    )
    assert getattr(create_vae_model(config, rngs=nnx.Rngs(0)), name) == 2.0


def test_a_vq_vae_of_the_unified_configuration_has_codes_as_wide_as_its_latents():
    config = ModelConfiguration(model_type="vqvae", input_shape=(6,), latent_dim=5)
    assert create_vae_model(config, rngs=nnx.Rngs(0)).embedding_dim == 5
    wrong = ModelConfiguration(
        model_type="vqvae", input_shape=(6,), latent_dim=5, parameters={"beta": 1.0}
    )
    with pytest.raises(TypeError, match="a vqvae has no option 'beta'"):
        create_vae_model(wrong, rngs=nnx.Rngs(0))


def test_labels_of_a_batch_walk_with_its_first_example():
    model, labels = by_parts(ConditionalVAE, num_classes=3), jnp.array([2, 0, 1])
    of_batch = model.interpolate(X, X[::-1], 4, y=labels)
    np.testing.assert_array_equal(of_batch, model.interpolate(X[0], X[2], 4, y=2))


def test_a_step_that_is_none_is_the_first():
    model = by_parts(BetaVAE, beta_warmup_steps=10)
    assert model.loss_fn(x=X, step=None)["beta"] == 0


def test_wide_data_leave_the_codebook_as_wide_as_it_is():
    model = by_parts(VQVAE, kmeans_init=True, use_ema=True)
    before = nnx.state(model, nnx.Not(nnx.RngState))
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        model(jnp.asarray(np.asarray(X, np.float64)))
    after = nnx.state(model, nnx.Not(nnx.RngState))
    assert [v.dtype for v in jax.tree.leaves(after)] == [v.dtype for v in jax.tree.leaves(before)]
