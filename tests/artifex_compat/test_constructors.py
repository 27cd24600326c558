"""Both constructor styles of every model, and what they refuse."""

import jax
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.core.configuration import (
    BetaVAEConfig,
    ModelConfiguration,
    VAEConfig,
)
from artifex_compat.generative_models.factory.builders.vae import VAEBuilder
from artifex_compat.generative_models.modalities.image import ImageModalityConfig
from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    BetaVAEWithCapacity,
    CNNEncoder,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
    create_vae_model,
)
from artifex_compat.generative_models.models.vae.decoders import create_decoder
from artifex_compat.generative_models.models.vae.encoders import SpatialEncoder, create_encoder
from tests.artifex_compat.make import (
    IMAGE,
    MODELS,
    OF_VQ,
    by_config,
    by_parts,
    decoder_config,
    encoder_config,
    parts,
)


@pytest.mark.parametrize("model", MODELS)
def test_both_styles_make_the_model(model):
    for made in (by_config(model), by_parts(model)):
        assert isinstance(made, VAE)
        assert (made.latent_dim, made.kl_weight) == (4, 1.0)


def test_a_configuration_may_be_given_by_name_too():
    config = VAEConfig(name="m", encoder=encoder_config(), decoder=decoder_config(), kl_weight=0.5)
    assert VAE(config=config, rngs=nnx.Rngs(0)).kl_weight == 0.5


def test_parts_may_be_given_by_position_in_the_documented_order():
    p = parts()
    networks = p["encoder"], p["decoder"], p["latent_dim"]
    beta = BetaVAE(*networks, 4.0, 10, "bce", rngs=nnx.Rngs(0))
    assert (beta.beta_default, beta.beta_warmup_steps) == (4.0, 10)
    assert beta.reconstruction_loss_type == "bce"
    capacity = BetaVAEWithCapacity(*networks, 1.0, 0, "mse", True, 5.0, 100, 20.0, rngs=nnx.Rngs(0))
    assert capacity.use_capacity_control
    assert (capacity.capacity_max, capacity.capacity_num_iter, capacity.gamma) == (5.0, 100, 20.0)
    vq = VQVAE(*networks, 8, 2, 0.5, rngs=nnx.Rngs(0))
    assert (vq.num_embeddings, vq.embedding_dim, vq.commitment_cost) == (8, 2, 0.5)
    assert ConditionalVAE(*networks, 3, "add", rngs=nnx.Rngs(0)).condition_dim == 3


def test_parts_style_has_the_documented_defaults():
    p = parts()
    capacity = BetaVAEWithCapacity(**p, rngs=nnx.Rngs(0))
    assert (capacity.beta_default, capacity.beta_warmup_steps) == (1.0, 0)
    assert (capacity.use_capacity_control, capacity.capacity_max) == (False, 25.0)
    assert (capacity.capacity_num_iter, capacity.gamma) == (25000, 1000.0)
    assert ConditionalVAE(**parts(), rngs=nnx.Rngs(0)).condition_dim == 10


def test_the_rngs_of_a_model_are_the_object_that_was_given():
    rngs = nnx.Rngs(0)
    assert VAE(**parts(), rngs=rngs).rngs is rngs


def test_precision_reaches_every_layer():
    model = VAE(**parts(), precision="highest", rngs=nnx.Rngs(0))
    assert model.precision is jax.lax.Precision.HIGHEST
    layers = [layer for _, layer in nnx.iter_graph(model) if isinstance(layer, nnx.Linear)]
    assert len(layers) == 7
    assert {layer.precision for layer in layers} == {jax.lax.Precision.HIGHEST}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"encoder": None}, ValueError, "encoder is required"),
        ({"decoder": None}, ValueError, "decoder is required"),
        ({"encoder": 3}, TypeError, "encoder must be a network"),
        ({"latent_dim": 0}, ValueError, "latent_dim must be a positive integer, not 0"),
        ({"latent_dim": None}, ValueError, "latent_dim must be a positive integer"),
        ({"kl_weight": -1.0}, ValueError, "kl_weight must be a non-negative number, not -1.0"),
        ({"rngs": 0}, TypeError, "rngs must be an nnx.Rngs"),
        ({"config": decoder_config()}, TypeError, "config must be a VAEConfig"),
    ],
)
def test_what_no_vae_can_be_made_from(change, error, words):
    given = {**parts(), "rngs": nnx.Rngs(0), **change}
    with pytest.raises(error, match=words):
        VAE(**given)


def test_mixed_styles_are_refused():
    config = VAEConfig(name="m", encoder=encoder_config(), decoder=decoder_config())
    with pytest.raises(TypeError, match="kl_weight stands in the config already"):
        VAE(config, kl_weight=2.0, rngs=nnx.Rngs(0))
    with pytest.raises(TypeError, match="config must be a BetaVAEConfig, not a VAEConfig"):
        BetaVAE(config, rngs=nnx.Rngs(0))


def test_the_unified_configuration_of_the_document():
    config = ModelConfiguration(
        model_name="beta_vae",
        model_type="vae",
        modality_config=ImageModalityConfig(representation="RGB", height=6, width=5, channels=3),
        architecture="mlp",
        latent_dim=2,
        parameters={"encoder_features": [9, 7, 5], "decoder_features": [5, 7], "beta": 4.0},
    )
    model = create_vae_model(config, rngs=nnx.Rngs(0))
    assert model.encoder.hidden_dims == (9, 7, 5)
    assert model.decoder.hidden_dims == (5, 7)
    x = np.full((2, 6, 5, 3), 0.5, np.float32)
    terms = model.loss_fn(x=x, outputs=model(x))
    expected = terms["reconstruction_loss"] + 4.0 * terms["kl_loss"]
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("model_type", "kind", "parameters", "architecture"),
    [
        ("vae", VAE, {"kl_weight": 0.5}, "mlp"),
        ("vae", VAE, {}, "cnn"),
        ("vae", VAE, {}, "resnet"),
        ("beta_vae", BetaVAE, {}, "mlp"),
        ("beta_vae_with_capacity", BetaVAEWithCapacity, {"use_capacity_control": True}, "mlp"),
        ("conditional_vae", ConditionalVAE, {"num_classes": 3}, "mlp"),
        ("conditional_vae", ConditionalVAE, {"num_classes": 3}, "cnn"),
        ("vqvae", VQVAE, OF_VQ, "mlp"),
    ],
)
def test_every_type_and_architecture(model_type, kind, parameters, architecture):
    features = {"encoder_features": [4, 3], "decoder_features": [3, 4]}
    config = ModelConfiguration(
        model_type=model_type,
        architecture=architecture,
        input_shape=IMAGE,
        latent_dim=4,
        parameters={**features, **parameters},
    )
    model = create_vae_model(config, rngs=nnx.Rngs(0))
    assert type(model) is kind
    assert model.sample(2).shape == (2, *IMAGE)


def test_an_unknown_parameter_is_refused_with_the_nearest():
    config = ModelConfiguration(input_shape=(4,), parameters={"encoder_feature": [3]})
    with pytest.raises(TypeError, match="did you mean 'encoder_features'"):
        create_vae_model(config, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("model", MODELS)
def test_the_builder_picks_the_model_by_its_config(model):
    fields = OF_VQ if model is VQVAE else {}
    config = MODELS[model](name="m", encoder=encoder_config(), decoder=decoder_config(), **fields)
    assert type(VAEBuilder().build(config, rngs=nnx.Rngs(0))) is model


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "config cannot be None"),
        ({"name": "m"}, "config must be a dataclass"),
        (encoder_config(), "Unsupported config type EncoderConfig"),
        (BetaVAEConfig, "config must be a dataclass"),
    ],
)
def test_what_the_builder_refuses(config, words):
    with pytest.raises(TypeError, match=words):
        VAEBuilder().build(config, rngs=nnx.Rngs(0))


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (lambda **given: MLPEncoder(encoder_config(activation="gelu"), **given), "activation"),
        (lambda **given: MLPEncoder(encoder_config(), **given), "use_batch_norm"),
        (lambda **given: CNNEncoder(encoder_config(dropout_rate=0.5), **given), "dropout_rate"),
        (lambda **given: MLPDecoder(decoder_config(), **given), "output_activation"),
        (lambda **given: MLPDecoder(config=decoder_config(), **given), "activation"),
    ],
)
def test_what_is_the_default_is_refused_beside_a_configuration_too(make, given):
    defaults = {"activation": "relu", "output_activation": "sigmoid"}
    with pytest.raises(TypeError, match=f"{given} stands in the (Enc|Dec)oderConfig already"):
        make(**{given: defaults.get(given, 0)}, rngs=nnx.Rngs(0))


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (VAE, "kl_weigt", "VAE has no option 'kl_weigt'; it takes encoder, .*mean 'kl_weight'"),
        (BetaVAE, "beta_defualt", "mean 'beta_default'"),
        (VQVAE, "num_embedding", "mean 'num_embeddings'"),
        (ConditionalVAE, "num_clases", "mean 'num_classes'"),
        (MLPEncoder, "hiden_dims", "MLPEncoder has no option .*mean 'hidden_dims'"),
        (MLPDecoder, "ouput_dim", "mean 'output_dim'"),
        (create_vae_model, "confg", "create_vae_model has no option .*mean 'config'"),
    ],
)
def test_an_unknown_argument_is_refused_with_the_nearest(kind, given, words):
    with pytest.raises(TypeError, match=words):
        kind(**{given: 1})


def test_options_of_a_condition_need_one():
    for create, config in ((create_encoder, encoder_config()), (create_decoder, decoder_config())):
        with pytest.raises(TypeError, match="num_classes must not be given without conditional=Tr"):
            create(config, num_classes=3, rngs=nnx.Rngs(0))
        with pytest.raises(TypeError, match="did you mean 'condition_dim'"):
            create(config, conditional=True, num_classes=3, condition_dims=4, rngs=nnx.Rngs(0))


def test_options_that_networks_cannot_have_are_refused():
    with pytest.raises(ValueError, match="use_batch_norm must be off beside use_layer_norm"):
        MLPEncoder([3], 2, "relu", 4, use_batch_norm=True, use_layer_norm=True, rngs=nnx.Rngs(0))
    with pytest.raises(
        ValueError, match="use_batch_norm must be False in a SpatialEncoder, not Tr"
    ):
        SpatialEncoder([3], 2, "relu", IMAGE, use_batch_norm=True, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="use_layer_norm must be True or False, not 'yes'"):
        MLPEncoder([3], 2, "relu", 4, use_layer_norm="yes", rngs=nnx.Rngs(0))
