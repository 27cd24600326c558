"""Edifice's training run, by the NNX model and `Trainer`."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import optax
from flax import nnx

from artifex_compat.edifice_noise import draw_as_edifice, edifice_key
from artifex_compat.edifice_weights import edifice_params, load_edifice_params
from artifex_compat.generative_models.models.vae import VAE, MLPDecoder, MLPEncoder
from artifex_compat.generative_models.training import Trainer
from edifice_py import random, vae
from golden.adapters.artifex_build import Api
from golden.case import Case


def answer(_: Api, case: Case, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Edifice's whole run by `Trainer`: its weights, its noise, its optimizer; an epoch a batch."""
    options, rngs = case.options, nnx.Rngs(0)
    names = ("input_size", "latent_size", "encoder_sizes", "decoder_sizes", "activation")
    size, latent, down, up, activation = (options[name] for name in names)
    model = VAE(
        MLPEncoder(down, latent, activation, size, rngs=rngs),
        MLPDecoder(up, size, latent, activation, output_activation="linear", rngs=rngs),
        latent,
        kl_weight=options["beta"],
        rngs=rngs,
    )
    networks = vae.build(**{name: options[name] for name in names})
    load_edifice_params(model, *(network.init(options["seed"]) for network in networks))
    draw_as_edifice(model, random.key(options["seed"]))
    # Polaris' Adam has 1e-15 inside its root.
    adam = optax.adam(options["learning_rate"], eps_root=1e-15)
    trainer = Trainer(model, nnx.Optimizer(model, adam, wrt=nnx.Param))
    for batch in inputs["batches"]:
        trainer.train(batch, 1, len(batch), shuffle=False)
    encoder, decoder = edifice_params(model)
    final = {"encoder": encoder, "decoder": decoder}
    return {
        "losses": jnp.stack([jnp.float32(row["loss"]) for row in trainer.history]),
        "new_key": edifice_key(model),
    } | {
        f"final/{network}/{layer}/{name}": value
        for network, layers in final.items()
        for layer, arrays in layers.items()
        for name, value in arrays.items()
    }
