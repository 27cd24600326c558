"""What a user sees of an object, as numbers: for the test of every argument."""

import jax
import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core import configuration as configs
from artifex_compat.generative_models.core.layers.mlp import MLP
from artifex_compat.generative_models.models import vae as models
from artifex_compat.generative_models.training import VAETrainer
from artifex_compat.generative_models.training.callbacks import EarlyStopping
from tests.artifex_compat.make import (
    MODELS,
    images,
    state_of,
)

SMALL = (4, 4, 1)


def layers(model):
    """What the layers hold, and how precisely they multiply."""
    precisions = [str(getattr(m, "precision", None)) for _, m in nnx.iter_graph(model)]
    state = {str(path): value for path, value in state_of(model).items()}
    return state, sorted(precisions)


def of_model(model):
    """Weights, a forward pass in training, the loss at a step, and a sample."""
    x = images(3, model.decoder.output_shape or (48,))
    labels = {"y": jnp.array([0, 1, 2])} if isinstance(model, models.ConditionalVAE) else {}
    outputs = model(x, **labels)
    terms = model.loss_fn(x=x, outputs=outputs, step=3)
    return layers(model), outputs, terms, model.sample(2)


def of_encoder(network):
    x = images(3, network.input_shape)
    room = getattr(network, "condition_features", 0)
    if room and not isinstance(network, models.ConditionalEncoder):
        return layers(network)
    labels = [jnp.array([0, 1, 2])] if isinstance(network, models.ConditionalEncoder) else []
    return layers(network), network(x, *labels)


def of_decoder(network):
    room = getattr(network, "condition_features", 0)
    if room and not isinstance(network, models.ConditionalDecoder):
        return layers(network)
    labels = [jnp.array([0, 1, 2])] if isinstance(network, models.ConditionalDecoder) else []
    return layers(network), network(jnp.ones((3, *network.latent_shape)), *labels)


def of_stack(network):
    shape = (3, 2) if isinstance(network, MLP) else (3, 4, 4, 2)
    return layers(network), network(jax.random.uniform(jax.random.key(2), shape))


def of_codebook(codebook):
    vectors = jnp.linspace(-1, 1, 8).reshape(4, 2)
    codebook.start(vectors, nnx.Rngs(0))
    codebook.learn(vectors, jnp.array([0, 1, 1, 0]), nnx.Rngs(0))
    return layers(codebook)


def of_training(config):
    trainer = VAETrainer(config)
    kl = trainer.apply_free_bits(jnp.array([0.0, 1.0]))
    return trainer.get_kl_weight(jnp.arange(0, 40, 3)), kl


def of_stopping(config):
    """The epoch that ends a run with these scores, and whether one does."""

    class Run:
        step, warmup_steps, should_stop, history = 0, 2, False, ()

    stopping, run = EarlyStopping(config), Run()
    for epoch, score in enumerate(
        [0.7, 3.0, 2.0, 2.0, 1.95, 2.5, 0.5, 4.0, 5.0, float("nan"), 7.0]
    ):
        run.step = epoch
        run.history = [*run.history, {"step": epoch}]
        stopping.on_epoch_end(run, epoch, {"loss": score, "other": -score})
        if run.should_stop:
            break
    return [epoch, run.should_stop]


def of_config(config):
    """The names and values, and for a network or a model what is made of them."""
    make = {
        configs.EncoderConfig: lambda: of_encoder(models.create_encoder(config, rngs=nnx.Rngs(0))),
        configs.DecoderConfig: lambda: of_decoder(models.create_decoder(config, rngs=nnx.Rngs(0))),
        configs.ModelConfiguration: lambda: of_model(
            models.create_vae_model(config, rngs=nnx.Rngs(0))
        ),
        **{kind: (lambda m=m: of_model(m(config, rngs=nnx.Rngs(0)))) for m, kind in MODELS.items()},
    }
    return make[type(config)]()


def notes(config):
    return [repr(config)]


def of_networks(given):
    encoder, decoder = given
    return [repr((encoder, decoder))]
