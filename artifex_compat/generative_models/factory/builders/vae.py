"""The maker of variational autoencoders."""

from dataclasses import is_dataclass

from flax import nnx

from artifex_compat.generative_models.core.configuration import (
    BetaVAEConfig,
    BetaVAEWithCapacityConfig,
    ConditionalVAEConfig,
    VAEConfig,
    VQVAEConfig,
)
from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    BetaVAEWithCapacity,
    ConditionalVAE,
)

_MODELS: dict[type, type[VAE]] = {
    BetaVAEWithCapacityConfig: BetaVAEWithCapacity,
    BetaVAEConfig: BetaVAE,
    ConditionalVAEConfig: ConditionalVAE,
    VQVAEConfig: VQVAE,
    VAEConfig: VAE,
}
"""The narrower types first."""


class VAEBuilder:
    """Makes the model that a configuration is for."""

    def build(self, config: VAEConfig, *, rngs: nnx.Rngs) -> VAE:
        """The model of a configuration, by the configuration's type.

        Raises:
            TypeError: `config` is None, no dataclass, or one of no VAE.
        """
        if config is None:
            raise TypeError("config cannot be None.")
        if not is_dataclass(config) or isinstance(config, type):
            raise TypeError(
                f"config must be a dataclass like VAEConfig, not a {type(config).__name__}."
            )
        for kind, model in _MODELS.items():
            if isinstance(config, kind):
                return model(config=config, rngs=rngs)
        raise TypeError(f"Unsupported config type {type(config).__name__}: give a VAEConfig.")
