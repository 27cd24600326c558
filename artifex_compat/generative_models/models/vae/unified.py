"""What the unified configuration says of networks."""

from typing import Any

from artifex_compat.generative_models.core.configuration import (
    DecoderConfig,
    EncoderConfig,
    ModelConfiguration,
)

DEFAULT_FEATURES = (512, 256)
"""Widths of the encoder's layers where the configuration gives none; the decoder's in reverse."""

NETWORK_PARAMETERS = ("encoder_features", "decoder_features", "activation", "output_activation")
"""Names among a configuration's parameters that speak of its networks."""


def encoder_config(config: ModelConfiguration) -> EncoderConfig:
    """The encoder that a model's configuration speaks of."""
    return EncoderConfig(
        name="encoder",
        input_shape=config.shape,
        latent_dim=config.latent_dim,
        hidden_dims=config.parameters.get("encoder_features", DEFAULT_FEATURES),
        activation=config.parameters.get("activation", "relu"),
        use_batch_norm=False,
    )


def decoder_config(config: ModelConfiguration) -> DecoderConfig:
    """The decoder that a model's configuration speaks of, whose features run as given."""
    features = config.parameters.get("decoder_features", DEFAULT_FEATURES[::-1])
    last: dict[str, Any] = {}
    if "output_activation" in config.parameters:
        last["output_activation"] = config.parameters["output_activation"]
    return DecoderConfig(
        name="decoder",
        output_shape=config.shape,
        latent_dim=config.latent_dim,
        hidden_dims=tuple(features)[::-1],
        activation=config.parameters.get("activation", "relu"),
        **last,
    )
