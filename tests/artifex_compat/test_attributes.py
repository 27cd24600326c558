"""Every attribute that the documents and Artifex 0.1.3 have, on models of both styles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.core.base import CNN, MLP
from artifex_compat.generative_models.models.vae import (
    VQVAE,
    ConditionalDecoder,
    ConditionalEncoder,
    ConditionalVAE,
    create_decoder,
    create_encoder,
)
from tests.artifex_compat.make import (
    IMAGE,
    LATENT,
    MODELS,
    by_config,
    by_parts,
    decoder_config,
    encoder_config,
    images,
)

OF_ALL = {"latent_dim": LATENT, "kl_weight": 1.0, "precision": None}
OF_BETA = {"beta_default": 1.0, "beta_warmup_steps": 0, "reconstruction_loss_type": "mse"}
OF_MODEL = {
    "VAE": {},
    "BetaVAE": OF_BETA,
    "BetaVAEWithCapacity": OF_BETA
    | {
        "use_capacity_control": False,
        "capacity_max": 25.0,
        "capacity_num_iter": 25000,
        "gamma": 1000.0,
    },
    "ConditionalVAE": {"condition_dim": 10, "condition_type": "concat", "num_classes": 10},
    "VQVAE": {"num_embeddings": 6, "embedding_dim": 2, "commitment_cost": 0.25},
}
LINEAR, CONV, UP = nnx.Linear, nnx.Conv, nnx.ConvTranspose
ENCODERS = {
    "dense": {"backbone": MLP, "mean_proj": LINEAR, "logvar_proj": LINEAR},
    "cnn": {"cnn": CNN, "mean_proj": LINEAR, "logvar_proj": LINEAR},
    "spatial": {"conv_layers": nnx.List, "mean_conv": CONV, "logvar_conv": CONV},
}
DECODERS = {
    "dense": {"backbone": MLP, "output_layer": LINEAR},
    "cnn": {"project": LINEAR, "cnn": CNN, "output_conv": CONV},
    "spatial": {"input_conv": CONV, "conv_transpose_layers": nnx.List, "output_conv": UP},
}
VALUES = {
    "dense": {"output_size": 48},
    "cnn": {"initial_h": 2, "initial_w": 2, "initial_features": 7},
    "spatial": {},
}


@pytest.mark.parametrize("style", [by_config, by_parts])
@pytest.mark.parametrize("model", MODELS)
def test_the_attributes_of_a_model(model, style):
    made = style(model)
    for name, value in {**OF_ALL, **OF_MODEL[model.__name__]}.items():
        assert getattr(made, name) == value, name
    assert isinstance(made.rngs, nnx.Rngs)
    assert isinstance(made.encoder, nnx.Module)
    assert isinstance(made.decoder, nnx.Module)


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("conditional", [False, True])
def test_the_attributes_of_networks(kind, conditional):
    rngs = nnx.Rngs(0)
    options = {"conditional": conditional, "num_classes": 3 if conditional else None, "rngs": rngs}
    encoder = create_encoder(encoder_config(use_batch_norm=False), kind, **options)
    decoder = create_decoder(decoder_config(), kind, **options)
    if conditional:
        assert isinstance(encoder, ConditionalEncoder)
        assert isinstance(decoder, ConditionalDecoder)
        assert encoder.num_classes == decoder.num_classes == 3
        encoder, decoder = encoder.encoder, decoder.decoder
    for network, wanted in ((encoder, ENCODERS[kind]), (decoder, DECODERS[kind])):
        assert network.latent_dim == LATENT
        for name, parts in wanted.items():
            assert isinstance(getattr(network, name), parts), name
    assert decoder.output_shape == IMAGE
    np.testing.assert_array_equal(decoder.activation(jnp.zeros(1)), [0.5])
    for name, value in VALUES[kind].items():
        assert getattr(decoder, name) == value, name
    if kind == "cnn":
        assert encoder.flatten(jnp.ones((2, 3, 4))).shape == (2, 12)


@pytest.mark.parametrize("options", [{}, {"use_ema": True}, {"embedding_dim": 3}])
def test_the_embeddings_of_a_vq_vae_are_a_table_to_look_codes_up_in(options):
    model = by_config(VQVAE, **options)
    outputs, table = model(images()), model.embeddings
    assert isinstance(table, nnx.Embed)
    assert (table.num_embeddings, table.features) == (6, model.embedding_dim)
    assert table.embedding.shape == (6, model.embedding_dim)
    assert isinstance(table.embedding, nnx.Variable)
    indices = outputs["encoding_indices"]
    codes = table(indices)
    np.testing.assert_array_equal(codes, table.embedding[...][indices])
    if not options:
        np.testing.assert_allclose(
            codes.reshape(outputs["quantized"].shape), outputs["quantized"], rtol=1e-5
        )
    assert jax.tree.leaves(nnx.state(table, nnx.Param)) or "use_ema" in options


def test_the_attributes_of_a_conditional_model_are_those_of_its_networks():
    model = by_config(ConditionalVAE, num_classes=3, encoder_type="cnn")
    assert model.encoder.num_classes == model.decoder.num_classes == model.num_classes == 3
    assert model.encoder.latent_dim == model.decoder.latent_dim == model.latent_dim
    assert model.decoder.output_shape == IMAGE
