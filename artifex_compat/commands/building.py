"""The model of a run, and what trains it."""

from collections.abc import Sequence
from typing import Any

import optax
from flax import nnx

from artifex_compat.commands.configuration import RunConfig
from artifex_compat.commands.sections import CAPACITY, CONDITIONAL, VQ
from artifex_compat.generative_models.core.configuration import ModelConfiguration
from artifex_compat.generative_models.models.vae import VAE, create_vae_model
from artifex_compat.generative_models.training import Trainer, VAETrainer

_OF_TYPE = {
    CAPACITY: ("capacity_max", "capacity_num_iter", "gamma"),
    CONDITIONAL: ("num_classes", "condition_type", "embed_dim"),
    VQ: (
        *("num_embeddings", "embedding_dim", "commitment_cost"),
        *("use_ema", "ema_decay", "dead_code_threshold", "kmeans_init"),
    ),
}


def model_of(config: RunConfig) -> VAE:
    """The model of a run whose data are known, untrained.

    Raises:
        TypeError, ValueError: it cannot be made so.
    """
    section = config.model
    options = {name: getattr(section, name) for name in _OF_TYPE.get(section.type, ())}
    parameters: dict[str, Any] = {
        "encoder_features": section.hidden_dims,
        "decoder_features": section.decoder_hidden_dims or section.hidden_dims[::-1],
        "activation": section.activation,
        "output_activation": section.output_activation,
        **{name: value for name, value in options.items() if value is not None},
    }
    if section.type == CAPACITY:
        parameters["use_capacity_control"] = True
    if section.type in (CAPACITY, VQ):
        parameters["reconstruction_loss_type"] = config.training.loss_type
    configuration = ModelConfiguration(
        model_name=str(config.name),
        model_type=section.type,
        input_shape=section.input_shape,
        architecture=section.architecture,
        latent_dim=section.latent_dim,
        parameters=parameters,
    )
    return create_vae_model(configuration, rngs=nnx.Rngs(config.training.seed))


def trainer_of(config: RunConfig, model: VAE, callbacks: Sequence[Any] = ()) -> Trainer:
    """The trainer of a run's model, with Adam.

    A model that holds its KL to a capacity has that in its own loss; the others are trained by
    `VAETrainer`.
    """
    training = config.training
    optimizer = nnx.Optimizer(model, optax.adam(training.learning_rate), wrt=nnx.Param)
    loss = None if config.model.type == CAPACITY else VAETrainer(training)
    options: dict[str, Any] = {"seed": training.seed, "loss_type": training.loss_type}
    return Trainer(model, optimizer, loss, callbacks=callbacks, **options)
