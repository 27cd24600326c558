"""Edifice's training run, by the NNX model and `Trainer`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from flax import nnx

from artifex_compat.edifice_noise import draw_as_edifice, edifice_key
from artifex_compat.edifice_weights import (
    SHARED_ACTIVATIONS,
    edifice_params,
    load_edifice_params,
)
from artifex_compat.generative_models.models.vae import VAE, MLPDecoder, MLPEncoder
from artifex_compat.generative_models.training import Trainer
from edifice_py import random, vae
from golden.adapters import UnsupportedError, polaris
from golden.adapters.artifex_build import Api
from golden.adapters.edifice_py import network_options
from golden.adapters.edifice_vqvae import flat
from golden.case import Case


def answer(_: Api, case: Case, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Edifice's whole run by `Trainer`: its weights, its noise, its optimizer; an epoch a batch."""
    options, rngs, network = case.options, nnx.Rngs(0), network_options(case)
    size, latent = network["input_size"], network["latent_size"]
    down, up, activation = (
        network[name] for name in ("encoder_sizes", "decoder_sizes", "activation")
    )
    if activation not in SHARED_ACTIVATIONS:
        raise UnsupportedError(f"training with {activation}")
    model = VAE(
        MLPEncoder(down, latent, activation, size, rngs=rngs),
        MLPDecoder(up, size, latent, activation, output_activation="linear", rngs=rngs),
        latent,
        kl_weight=options["beta"],
        rngs=rngs,
    )
    parts = (part.init(options["seed"]) for part in vae.build(**network))
    load_edifice_params(model, *parts)
    draw_as_edifice(model, random.key(options["seed"]))
    trainer = Trainer(
        model, nnx.Optimizer(model, polaris.adam(options["learning_rate"]), wrt=nnx.Param)
    )
    for batch in inputs["batches"]:
        trainer.train(batch, 1, len(batch), shuffle=False)
    encoder, decoder = edifice_params(model)
    losses = np.array([row["loss"] for row in trainer.history], np.float32)
    final = flat("final/encoder", encoder) | flat("final/decoder", decoder)
    return {"losses": losses, "new_key": edifice_key(model)} | final
