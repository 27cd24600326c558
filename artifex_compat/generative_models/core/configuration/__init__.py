"""Configurations of networks and models, all of them under one roof."""

from artifex_compat.generative_models.core.configuration.config import BaseConfig
from artifex_compat.generative_models.core.configuration.model_config import ModelConfiguration
from artifex_compat.generative_models.core.configuration.network_configs import (
    BaseNetworkConfig,
    DecoderConfig,
    EncoderConfig,
)
from artifex_compat.generative_models.core.configuration.vae_config import (
    BetaVAEConfig,
    BetaVAEWithCapacityConfig,
    ConditionalVAEConfig,
    VAEConfig,
    VQVAEConfig,
)

__all__ = [
    "BaseConfig",
    "BaseNetworkConfig",
    "BetaVAEConfig",
    "BetaVAEWithCapacityConfig",
    "ConditionalVAEConfig",
    "DecoderConfig",
    "EncoderConfig",
    "ModelConfiguration",
    "VAEConfig",
    "VQVAEConfig",
]
