"""Models from the configuration that stands for any of them."""

from dataclasses import fields
from typing import Any

from flax import nnx

from artifex_compat.generative_models.core.configuration import ModelConfiguration
from artifex_compat.generative_models.core.configuration.checks import positive
from artifex_compat.generative_models.core.configuration.model_config import ARCHITECTURES
from artifex_compat.generative_models.models.vae.base import VAE
from artifex_compat.generative_models.models.vae.beta_vae import BetaVAE, BetaVAEWithCapacity
from artifex_compat.generative_models.models.vae.conditional import ConditionalVAE
from artifex_compat.generative_models.models.vae.unified import (
    NETWORK_PARAMETERS,
    decoder_config,
    encoder_config,
)
from artifex_compat.generative_models.models.vae.vq_vae import VQVAE
from edifice_py.checks import named, options

MODELS: dict[str, type[VAE]] = {
    "vae": VAE,
    "beta_vae": BetaVAE,
    "beta_vae_with_capacity": BetaVAEWithCapacity,
    "conditional_vae": ConditionalVAE,
    "vqvae": VQVAE,
}
_NOT_OPTIONS = ("name", "description", "tags", "metadata", "encoder", "decoder", "encoder_type")


@named
def create_vae_model(config: ModelConfiguration | None = None, *, rngs: nnx.Rngs) -> VAE:
    """The model of a unified configuration.

    Args:
        config: what to make; a VAE for grey images of 28 x 28 where it is not given.
        rngs: parameters come from its stream `params`, noise from `sample`.

    Returns:
        A model of the configuration's `model_type`. "beta" among its parameters is the weight of
        the KL in the model's own loss, and makes of a "vae" a `BetaVAE`.

    Raises:
        TypeError: `config` is of another type, or has a parameter that its model has not.
        ValueError: a value is not allowed.

    Example:
        >>> config = ModelConfiguration(input_shape=(6,), latent_dim=2, parameters={"beta": 4.0})
        >>> create_vae_model(config, rngs=nnx.Rngs(0)).beta_default
        4.0
    """
    config = ModelConfiguration() if config is None else config
    if not isinstance(config, ModelConfiguration):
        raise TypeError(f"config must be a ModelConfiguration, not a {type(config).__name__}.")
    given = dict(config.parameters)
    plain = config.model_type == "vae" and {"beta", "beta_default"} & given.keys()
    model = MODELS["beta_vae" if plain else config.model_type]
    weight = "beta_default" if issubclass(model, BetaVAE) else "kl_weight"
    has_beta = model is not VQVAE
    if has_beta and "beta" in given:
        given[weight] = positive("beta", given.pop("beta"))
    elif model is VQVAE:
        given.setdefault("embedding_dim", config.latent_dim)
    kind = model.config_class
    allowed = [field.name for field in fields(kind) if field.name not in _NOT_OPTIONS]
    allowed += ["beta"] if has_beta else []
    options(f"a {config.model_type}", config.parameters, [*NETWORK_PARAMETERS, *allowed])
    of_model: dict[str, Any] = {n: v for n, v in given.items() if n not in NETWORK_PARAMETERS}
    return model(
        config=kind(
            name=config.model_name,
            encoder=encoder_config(config),
            decoder=decoder_config(config),
            encoder_type=ARCHITECTURES[config.architecture],
            **of_model,
        ),
        rngs=rngs,
    )
