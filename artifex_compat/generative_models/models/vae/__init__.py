"""Variational autoencoders: five models, and what they are made from."""

from artifex_compat.generative_models.models.vae.base import VAE
from artifex_compat.generative_models.models.vae.beta_vae import BetaVAE, BetaVAEWithCapacity
from artifex_compat.generative_models.models.vae.conditional import ConditionalVAE
from artifex_compat.generative_models.models.vae.decoders import (
    CNNDecoder,
    ConditionalDecoder,
    MLPDecoder,
    ResNetDecoder,
    create_decoder,
    create_decoder_unified,
)
from artifex_compat.generative_models.models.vae.encoders import (
    CNNEncoder,
    ConditionalEncoder,
    MLPEncoder,
    ResNetEncoder,
    create_encoder,
    create_encoder_unified,
)
from artifex_compat.generative_models.models.vae.factory import create_vae_model
from artifex_compat.generative_models.models.vae.spatial_autoencoder import (
    SpatialDecoder,
    SpatialEncoder,
)
from artifex_compat.generative_models.models.vae.vq_vae import VQVAE

__all__ = [
    "VAE",
    "VQVAE",
    "BetaVAE",
    "BetaVAEWithCapacity",
    "CNNDecoder",
    "CNNEncoder",
    "ConditionalDecoder",
    "ConditionalEncoder",
    "ConditionalVAE",
    "MLPDecoder",
    "MLPEncoder",
    "ResNetDecoder",
    "ResNetEncoder",
    "SpatialDecoder",
    "SpatialEncoder",
    "create_decoder",
    "create_decoder_unified",
    "create_encoder",
    "create_encoder_unified",
    "create_vae_model",
]
