"""What each argument of every public constructor is changed to.

A case is a function that shows an object, made with changes, by numbers; and the changes. An
argument that a constructor gets later fails in `test_every_argument.py` until it has one.
"""

import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core import configuration as configs
from artifex_compat.generative_models.core.layers.cnn import CNN
from artifex_compat.generative_models.core.layers.mlp import MLP
from artifex_compat.generative_models.core.layers.residual import ResNet
from artifex_compat.generative_models.modalities.image import ImageModalityConfig
from artifex_compat.generative_models.models import vae as models
from artifex_compat.generative_models.models.vae.codebook import Codebook
from artifex_compat.generative_models.training import VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import EarlyStoppingConfig
from edifice_py.generative import vae
from tests.artifex_compat.argument_changes import (
    ARCHITECTURE,
    BETA,
    CAPACITY,
    CODES,
    CONDITION,
    CONTROL,
    DECODER,
    ENCODER,
    NETWORKS,
    NOTES,
    OF_MODEL,
    OF_NETWORK,
    OF_VQ_LOSS,
    OTHER,
    SMALL,
    STACK,
    STOPPING,
    TRAINING,
    WRAPPER,
)
from tests.artifex_compat.make import (
    MODELS,
    OF_VQ,
    decoder_config,
    encoder_config,
    parts,
)
from tests.artifex_compat.shown import (
    layers,
    notes,
    of_codebook,
    of_config,
    of_decoder,
    of_encoder,
    of_model,
    of_networks,
    of_stack,
    of_stopping,
    of_training,
)


def model_case(model, **changes):
    """A model by parts; a change is of one argument, with what it needs beside it."""
    extra = OF_VQ if model is models.VQVAE else {}
    wide = {"encoder": encoder_config(), "decoder": decoder_config()}

    def make(**given):
        fresh = parts() | {"rngs": nnx.Rngs(0)} | extra
        return of_model(model(**{**fresh, **given}))

    return make, {
        "encoder": {"encoder": OTHER["encoder"]},
        "decoder": {"decoder": OTHER["decoder"]},
        "latent_dim": {"latent_dim": 5},
        "config": {"config": MODELS[model](name="m", **wide, **extra)},
        "rngs": {"rngs": nnx.Rngs(1)},
        "precision": {"precision": "highest"},
        "kl_weight": {"kl_weight": 0.5},
        **changes,
    }


def encoder_case(kind):
    base = {"hidden_dims": [4, 3], "latent_dim": 2, "input_dim": SMALL}
    return lambda **given: of_encoder(kind(**{**base, "rngs": nnx.Rngs(0), **given})), ENCODER


def decoder_case(kind):
    base = {"hidden_dims": [4, 3], "latent_dim": 2, "output_dim": SMALL}
    return lambda **given: of_decoder(kind(**{**base, "rngs": nnx.Rngs(0), **given})), DECODER


def stack_case(kind):
    def make(**given):
        base = {"hidden_dims": [4, 3], "in_features": 2, "rngs": nnx.Rngs(0)}
        made = kind(**{**base, **given})
        return layers(made) if "in_features" in given else of_stack(made)

    return make, {n: c for n, c in STACK.items() if kind is not MLP or n != "use_transpose"}


def wrapper_case(kind, name):
    def make(**given):
        base = {name: parts()[name], "num_classes": 3, "rngs": nnx.Rngs(0)}
        made = kind(**{**base, **given})
        made.adapt((48,) if name == "encoder" else (4,))
        x = jnp.ones((3, 48 if name == "encoder" else 4))
        return layers(made), made(x, jnp.array([0, 1, 2]))

    return make, WRAPPER | {
        name: {name: OTHER[name]},
        "options": {"condition_type": "add"},
    }


def config_case(kind, base, changes, show=of_config):
    def shown(**given):
        config = kind(**{**base, **given})
        return [notes(config) if given.keys() & NOTES.keys() else None, show(config)]

    has_notes = (
        {n: {n: v} for n, v in NOTES.items()} if issubclass(kind, configs.BaseConfig) else {}
    )
    return shown, has_notes | changes


CASES = {
    models.VAE: model_case(models.VAE),
    models.BetaVAE: model_case(models.BetaVAE, **BETA),
    models.BetaVAEWithCapacity: model_case(models.BetaVAEWithCapacity, **BETA, **CAPACITY),
    models.ConditionalVAE: model_case(models.ConditionalVAE, **CONDITION),
    models.VQVAE: model_case(
        models.VQVAE,
        **CODES,
        **OF_VQ_LOSS,
        reconstruction_loss_type=BETA["reconstruction_loss_type"],
    ),
    **{
        kind: encoder_case(kind)
        for kind in (
            models.MLPEncoder,
            models.CNNEncoder,
            models.ResNetEncoder,
            models.SpatialEncoder,
        )
    },
    **{
        kind: decoder_case(kind)
        for kind in (
            models.MLPDecoder,
            models.CNNDecoder,
            models.ResNetDecoder,
            models.SpatialDecoder,
        )
    },
    **{kind: stack_case(kind) for kind in (MLP, CNN, ResNet)},
    models.ConditionalEncoder: wrapper_case(models.ConditionalEncoder, "encoder"),
    models.ConditionalDecoder: wrapper_case(models.ConditionalDecoder, "decoder"),
    Codebook: (
        lambda **given: of_codebook(
            Codebook(
                **{
                    "num_embeddings": 6,
                    "embedding_dim": 2,
                    "use_ema": False,
                    "ema_decay": 0.9,
                    "dead_code_threshold": 0.0,
                    "kmeans_init": False,
                    "rngs": nnx.Rngs(0),
                    **given,
                }
            )
        ),
        CODES | {"rngs": {"rngs": nnx.Rngs(1)}},
    ),
    configs.EncoderConfig: config_case(
        configs.EncoderConfig,
        {
            "name": "e",
            "hidden_dims": (4, 3),
            "activation": "relu",
            "latent_dim": 2,
            "input_shape": SMALL,
        },
        OF_NETWORK
        | {
            "input_shape": {"input_shape": (6, 4, 1)},
            "use_batch_norm": {"use_batch_norm": False},
            "use_layer_norm": {"use_layer_norm": True},
        },
    ),
    configs.DecoderConfig: config_case(
        configs.DecoderConfig,
        {
            "name": "d",
            "hidden_dims": (4, 3),
            "activation": "relu",
            "latent_dim": 2,
            "output_shape": SMALL,
        },
        OF_NETWORK
        | {
            "output_shape": {"output_shape": (6, 4, 1)},
            "output_activation": {"output_activation": "tanh"},
        },
    ),
    configs.VAEConfig: config_case(configs.VAEConfig, NETWORKS, OF_MODEL),
    configs.BetaVAEConfig: config_case(configs.BetaVAEConfig, NETWORKS, OF_MODEL | BETA),
    configs.BetaVAEWithCapacityConfig: config_case(
        configs.BetaVAEWithCapacityConfig, NETWORKS, OF_MODEL | BETA | CAPACITY
    ),
    configs.ConditionalVAEConfig: config_case(
        configs.ConditionalVAEConfig, NETWORKS, OF_MODEL | CONDITION
    ),
    configs.VQVAEConfig: config_case(
        configs.VQVAEConfig,
        NETWORKS | OF_VQ,
        OF_MODEL
        | CODES
        | OF_VQ_LOSS
        | {"reconstruction_loss_type": BETA["reconstruction_loss_type"]},
    ),
    configs.ModelConfiguration: config_case(
        configs.ModelConfiguration,
        ARCHITECTURE,
        {
            "model_type": {"model_type": "vqvae"},
            "modality_config": {"modality_config": ImageModalityConfig(height=4)},
            "input_shape": {"input_shape": (5,)},
            "architecture": {"architecture": "cnn"},
            "latent_dim": {"latent_dim": 3},
            "parameters": {"parameters": {"encoder_features": [3], "activation": "gelu"}},
        },
    ),
    ImageModalityConfig: config_case(
        ImageModalityConfig,
        {"height": 4},
        {
            "representation": {"representation": "GRAYSCALE"},
            "height": {"height": 5},
            "width": {"width": 5},
            "channels": {"channels": 1},
        },
        lambda config: config.shape,
    ),
    VAETrainingConfig: config_case(
        VAETrainingConfig,
        {"kl_warmup_steps": 20},
        TRAINING | {"cyclical_period": {"cyclical_period": 8}},
        of_training,
    ),
    EarlyStoppingConfig: config_case(
        EarlyStoppingConfig, {"monitor": "loss", "patience": 2}, STOPPING, of_stopping
    ),
    vae.build: (
        lambda **given: of_networks(vae.build(**{"input_size": 4, **given})),
        {
            "input_size": {"input_size": 5},
            "latent_size": {"latent_size": 3},
            "encoder_sizes": {"encoder_sizes": [3]},
            "decoder_sizes": {"decoder_sizes": [3]},
            "activation": {"activation": "gelu"},
        },
    ),
}
BESIDE = {
    **{
        (kind, name): CONTROL
        for kind in (models.BetaVAEWithCapacity, configs.BetaVAEWithCapacityConfig)
        for name in ("capacity_max", "capacity_num_iter", "gamma")
    },
    (VAETrainingConfig, "cyclical_period"): {"kl_annealing": "cyclical"},
    (EarlyStoppingConfig, "check_finite"): {"patience": 9},
}
"""Options that say more of another one, which is on in both."""
NOTE_OF_MODEL = {(configs.ModelConfiguration, "model_name")}
"""What a user notes: it is in `to_dict` and nowhere else."""
