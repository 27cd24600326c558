"""Small configurations and models for the tests of this folder."""

import jax
from flax import nnx

from artifex_compat.generative_models.core.configuration import (
    BetaVAEConfig,
    BetaVAEWithCapacityConfig,
    ConditionalVAEConfig,
    DecoderConfig,
    EncoderConfig,
    VAEConfig,
    VQVAEConfig,
)
from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    BetaVAEWithCapacity,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
)

IMAGE = (8, 6, 1)
LATENT = 4
MODELS = {
    VAE: VAEConfig,
    BetaVAE: BetaVAEConfig,
    BetaVAEWithCapacity: BetaVAEWithCapacityConfig,
    ConditionalVAE: ConditionalVAEConfig,
    VQVAE: VQVAEConfig,
}
OF_VQ = {"num_embeddings": 6, "embedding_dim": 2}


def encoder_config(**fields):
    given = {"hidden_dims": (7, 5), "activation": "relu", "input_shape": IMAGE}
    return EncoderConfig(**{"name": "encoder", "latent_dim": LATENT, **given, **fields})


def decoder_config(**fields):
    given = {"hidden_dims": (7, 5), "activation": "relu", "output_shape": IMAGE}
    return DecoderConfig(**{"name": "decoder", "latent_dim": LATENT, **given, **fields})


def by_config(model=VAE, rngs=0, encoder=None, decoder=None, **fields):
    """A model in config style, of a class of ours or of a subclass of one."""
    options = {**(OF_VQ if issubclass(model, VQVAE) else {}), **fields}
    config = model.config_class(
        name="model",
        encoder=encoder_config(**(encoder or {})),
        decoder=decoder_config(**(decoder or {})),
        **options,
    )
    return model(config, rngs=nnx.Rngs(rngs))


def parts(features=48, latent=LATENT, seed=0):
    """Encoder, decoder and latent width of a dense model in parts style."""
    rngs = nnx.Rngs(seed)
    return {
        "encoder": MLPEncoder([7, 5], latent, input_dim=features, rngs=rngs),
        "decoder": MLPDecoder([5, 7], features, latent, rngs=rngs),
        "latent_dim": latent,
    }


def by_parts(model=VAE, **options):
    """A model in parts style."""
    of_model = OF_VQ if issubclass(model, VQVAE) else {}
    return model(**{**parts(), **of_model, **options}, rngs=nnx.Rngs(0))


def images(batch=3, shape=IMAGE):
    return jax.random.uniform(jax.random.key(1), (batch, *shape))


def state_of(model):
    """Everything a model holds but the counts of its random streams, as numpy arrays by path."""
    flat = nnx.to_flat_state(nnx.state(model, nnx.Not(nnx.RngState)))
    return {path: jax.device_get(variable[...]) for path, variable in flat}
