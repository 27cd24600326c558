"""Encoders and decoders: their shapes, their attributes, their options, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.core.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS
from artifex_compat.generative_models.core.configuration import ModelConfiguration
from artifex_compat.generative_models.core.layers.residual import ResidualBlock
from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    CNNDecoder,
    CNNEncoder,
    ConditionalEncoder,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
    ResNetDecoder,
    ResNetEncoder,
    SpatialDecoder,
    SpatialEncoder,
    create_decoder,
    create_decoder_unified,
    create_encoder,
    create_encoder_unified,
)
from tests.artifex_compat.make import (
    IMAGE,
    LATENT,
    by_config,
    decoder_config,
    encoder_config,
    images,
)

ENCODERS = {"dense": MLPEncoder, "cnn": CNNEncoder, "resnet": ResNetEncoder}
DECODERS = {"dense": MLPDecoder, "cnn": CNNDecoder, "resnet": ResNetDecoder}


def random_rows(batch=3, features=4):
    return jax.random.normal(jax.random.key(2), (batch, features))


@pytest.mark.parametrize("kind", ENCODERS)
def test_both_styles_of_an_encoder(kind):
    by_config = create_encoder(encoder_config(), kind, rngs=nnx.Rngs(0))
    by_parts = ENCODERS[kind]([7, 5], 4, "relu", IMAGE, rngs=nnx.Rngs(0))
    by_position = ENCODERS[kind](encoder_config(), rngs=nnx.Rngs(0))
    for encoder in (by_config, by_parts, by_position):
        assert type(encoder) is ENCODERS[kind]
        assert (encoder.hidden_dims, encoder.latent_dim) == ((7, 5), 4)
        assert [array.shape for array in encoder(images())] == [(3, 4), (3, 4)]


@pytest.mark.parametrize("kind", DECODERS)
def test_both_styles_of_a_decoder(kind):
    by_config = create_decoder(decoder_config(hidden_dims=(7, 5)), kind, rngs=nnx.Rngs(0))
    by_parts = DECODERS[kind]([5, 7], IMAGE, 4, rngs=nnx.Rngs(0))
    for decoder in (by_config, by_parts):
        assert decoder.hidden_dims == (5, 7)
        assert (decoder.latent_dim, decoder.output_shape) == (4, IMAGE)
        images_of = decoder(random_rows())
        assert images_of.shape == (3, *IMAGE)
        assert jnp.all((images_of > 0) & (images_of < 1))


def test_the_documented_attributes():
    mlp = MLPEncoder([7, 5], 4, input_dim=6, rngs=nnx.Rngs(0))
    assert mlp.backbone(random_rows(features=6)).shape == (3, 5)
    assert [len(mlp.backbone.layers), mlp.mean_proj.out_features] == [2, 4]
    cnn = CNNEncoder([7, 5], 4, input_dim=IMAGE, rngs=nnx.Rngs(0))
    assert cnn.cnn(images()).shape == (3, 2, 2, 5)
    assert cnn.flatten(jnp.ones((3, 2, 2, 5))).shape == (3, 20)
    assert MLPDecoder([7], IMAGE, 4, rngs=nnx.Rngs(0)).output_size == 48
    decoder = CNNDecoder([7, 5], IMAGE, 4, rngs=nnx.Rngs(0))
    assert (decoder.initial_h, decoder.initial_w, decoder.initial_features) == (2, 2, 7)


@pytest.mark.parametrize("kind", ["cnn", "resnet"])
@pytest.mark.parametrize(("height", "width", "layers"), [(1, 1, 1), (7, 5, 2), (9, 12, 3)])
def test_images_of_every_size_come_out_at_their_size(kind, height, width, layers):
    decoder = DECODERS[kind]([3] * layers, (height, width, 2), 4, rngs=nnx.Rngs(0))
    encoder = ENCODERS[kind]([3] * layers, 4, input_dim=(height, width, 2), rngs=nnx.Rngs(0))
    decoded = decoder(random_rows())
    assert decoded.shape == (3, height, width, 2)
    assert encoder(decoded)[0].shape == (3, 4)


def test_a_resnet_has_residual_blocks_that_pass_their_input_on():
    encoder = ResNetEncoder([3, 5], 4, input_dim=IMAGE, rngs=nnx.Rngs(0))
    block = encoder.cnn.layers[0]
    assert isinstance(block, ResidualBlock)
    block.conv2.kernel[...] = jnp.zeros_like(block.conv2.kernel[...])
    np.testing.assert_array_equal(block(images()), block.shortcut(images()))


def test_a_spatial_pair_keeps_a_grid():
    encoder = SpatialEncoder([6, 5], 4, "relu", IMAGE, rngs=nnx.Rngs(0))
    decoder = SpatialDecoder([5, 6], IMAGE, 4, rngs=nnx.Rngs(0))
    mean, log_var = encoder(images())
    assert mean.shape == log_var.shape == (3, 2, 2, 4)
    assert (decoder.latent_shape, decoder(mean).shape) == ((2, 2, 4), (3, *IMAGE))
    assert [len(encoder.conv_layers), len(decoder.conv_transpose_layers)] == [2, 1]


@pytest.mark.parametrize("kind", [VAE, VQVAE, ConditionalVAE])
@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_spatial_model_takes_any_grid(kind, size):
    image = {"hidden_dims": (6, 5)}
    model = by_config(
        kind,
        encoder={"input_shape": (64, 64, 1), **image},
        decoder={"output_shape": (64, 64, 1), **image},
        encoder_type="spatial",
    )
    x = images(2, (size, size, 1))
    assert model.encoder(x)[0].shape == (2, size // 4, size // 4, LATENT)
    outputs = model(x)
    assert outputs["reconstructed"].shape == x.shape
    assert jnp.isfinite(model.loss_fn(x=x, outputs=outputs)["loss"])
    for single, same in ((x[0], x[:1]), (x, x[:1])):
        walk = model.latent_traversal(single, 1, steps=3)
        np.testing.assert_array_equal(walk, model.latent_traversal(same, 1, steps=3))
        assert model.interpolate(single, x[1], steps=3).shape == (3, size, size, 1)
    assert model.sample(2).shape == (2, 64, 64, 1)


def test_a_spatial_network_of_any_grid_has_its_channels_and_a_line_one_size():
    encoder = SpatialEncoder([6, 5], 4, "relu", IMAGE, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"x must have the shape \[batch, height, width, 1\]"):
        encoder(images(2, (8, 6, 3)))
    with pytest.raises(ValueError, match="x must have the shape"):
        encoder(images(2, (8, 6)))
    decoder = SpatialDecoder([5, 6], IMAGE, 4, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"z must have the shape \[batch, height, width, 4\]"):
        decoder(jnp.ones((2, 2, 2, 5)))
    model = VAE(encoder, decoder, 4, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="latents_of_x2"):
        model.interpolate(images(1, (8, 8, 1)), images(1, (16, 8, 1)))
    options = {"condition_type": "add", "rngs": nnx.Rngs(0)}
    added = ConditionalEncoder(encoder, 3, **options)
    with pytest.raises(ValueError, match=r"the input must have the shape \[batch, 8, 6, 1\]"):
        added(images(2, (8, 8, 1)), jnp.array([0, 1]))


def test_a_spatial_network_refuses_what_artifex_refuses():
    with pytest.raises(ValueError, match="activation must be one of gelu, relu, silu, not 'tanh'"):
        SpatialEncoder([6], 4, "tanh", IMAGE, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_that_a_config_accepts_builds_and_runs(name):
    encoder = create_encoder(encoder_config(activation=name), "dense", rngs=nnx.Rngs(0))
    decoder = create_decoder(decoder_config(activation=name), "dense", rngs=nnx.Rngs(0))
    mean, _ = encoder(images())
    assert jnp.all(jnp.isfinite(decoder(mean)))


@pytest.mark.parametrize("name", OUTPUT_ACTIVATIONS)
def test_the_output_activation_is_what_was_asked_for(name):
    linear = MLPDecoder([7], 5, 4, output_activation="linear", rngs=nnx.Rngs(0))
    named = create_decoder(
        decoder_config(hidden_dims=(7,), output_shape=(5,), output_activation=name),
        rngs=nnx.Rngs(0),
    )
    z = 9 * random_rows()
    wanted = OUTPUT_ACTIVATIONS[name](linear(z))
    np.testing.assert_array_equal(named(z), wanted)
    if name not in ("linear", "identity"):
        assert not jnp.array_equal(wanted, linear(z))


def test_an_activation_follows_every_hidden_layer():
    encoder = MLPEncoder([5], 4, input_dim=6, rngs=nnx.Rngs(0))
    assert jnp.min(encoder.backbone(random_rows(features=6))) == 0


@pytest.mark.parametrize("kind", ENCODERS)
def test_dropout_drops_in_training_only(kind):
    encoder = create_encoder(
        encoder_config(dropout_rate=0.5, use_batch_norm=False), kind, rngs=nnx.Rngs(0)
    )
    assert not jnp.array_equal(encoder(images())[0], encoder(images())[0])
    encoder.eval()
    np.testing.assert_array_equal(encoder(images())[0], encoder(images())[0])


@pytest.mark.parametrize("kind", ENCODERS)
def test_layer_norm_takes_the_place_of_batch_norm(kind):
    encoder = create_encoder(encoder_config(use_layer_norm=True), kind, rngs=nnx.Rngs(0))
    norms = [type(module).__name__ for _, module in nnx.iter_graph(encoder)]
    assert "LayerNorm" in norms
    assert "BatchNorm" not in norms
    one = encoder(images())[0][:1]
    np.testing.assert_allclose(encoder(images()[:1])[0], one, rtol=1e-5, atol=1e-6)


def test_batch_norm_is_on_in_config_style_and_off_in_parts_style():
    by_config = create_encoder(encoder_config(), rngs=nnx.Rngs(0))
    by_parts = MLPEncoder([7, 5], 4, input_dim=IMAGE, rngs=nnx.Rngs(0))
    assert (len(by_config.backbone.batch_norms), len(by_parts.backbone.batch_norms)) == (1, 0)


def test_an_encoder_without_input_dim_learns_it_from_its_first_batch():
    rngs = nnx.Rngs(0)
    late = MLPEncoder([7, 5], 4, rngs=rngs)
    early = MLPEncoder([7, 5], 4, input_dim=IMAGE, rngs=nnx.Rngs(0))
    for had, wanted in zip(late(images()), early(images()), strict=True):
        np.testing.assert_array_equal(had, wanted)
    assert late.input_shape == IMAGE


def test_what_needs_the_weights_before_the_first_batch_says_what_to_do():
    encoder = MLPEncoder([7, 5], 4, rngs=nnx.Rngs(0))
    decoder = MLPDecoder([7], IMAGE, 4, rngs=nnx.Rngs(0))
    model = VAE(encoder, decoder, 4, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="no weights before its first batch: call the model once"):
        nnx.jit(lambda model, x: model(x))(model, images())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda r: MLPEncoder([], 4, rngs=r), "hidden_dims must"),
        (lambda r: MLPEncoder([7, 0], 4, rngs=r), "hidden_dims must"),
        (lambda r: MLPEncoder([7], 0, rngs=r), "latent_dim must be a positive integer, not 0"),
        (lambda r: MLPEncoder([7], 4, "rely", rngs=r), "'rely'.*'relu'"),
        (lambda r: CNNEncoder([7], 4, input_dim=6, rngs=r), r"\(height, width, channels\)"),
        (lambda r: CNNDecoder([7], 6, 4, rngs=r), r"\(height, width, channels\)"),
        (lambda r: MLPDecoder([7], (0,), 4, rngs=r), "output_dim must"),
        (lambda r: MLPDecoder([7], 6, 4, output_activation="x", rngs=r), "output_activation must"),
        (lambda r: MLPDecoder([7], 6, 4, dropout_rate=1.5, rngs=r), "dropout_rate must"),
        (
            lambda r: create_encoder(encoder_config(), "conv", rngs=r),
            "encoder_type must be one of cnn.*'conv'",
        ),
        (lambda r: create_decoder(decoder_config(), "mlp", rngs=r), "decoder_type must"),
    ],
)
def test_what_no_network_can_be_made_from(make, words):
    with pytest.raises(ValueError, match=words):
        make(nnx.Rngs(0))


@pytest.mark.parametrize(
    ("network", "shape", "words"),
    [
        (MLPEncoder([7], 4, input_dim=6, rngs=nnx.Rngs(0)), (3, 5), r"x must .*\[batch, 6\]"),
        (CNNEncoder([7], 4, input_dim=IMAGE, rngs=nnx.Rngs(0)), (3, 8, 6, 3), "x must have the"),
        (MLPDecoder([7], 6, 4, rngs=nnx.Rngs(0)), (3, 5), r"z must .*\[batch, 4\], not \[batch, 5"),
    ],
)
def test_a_wrong_shape_is_one_sentence_before_any_computation(network, shape, words):
    with pytest.raises(ValueError, match=words):
        network(jnp.ones(shape))


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_unified_factories(kind):
    config = ModelConfiguration(
        input_shape=IMAGE,
        latent_dim=4,
        parameters={"encoder_features": [7, 5], "decoder_features": [5, 7]},
    )
    encoder = create_encoder_unified(config=config, encoder_type=kind, rngs=nnx.Rngs(0))
    decoder = create_decoder_unified(config=config, decoder_type=kind, rngs=nnx.Rngs(0))
    assert (encoder.hidden_dims, decoder.hidden_dims) == ((7, 5), (5, 7))
    assert decoder(encoder(images())[0]).shape == (3, *IMAGE)
    conditional = create_encoder_unified(
        config=config, encoder_type=kind, conditional=True, num_classes=3, rngs=nnx.Rngs(0)
    )
    assert conditional(images(), jnp.arange(3))[0].shape == (3, 4)
