"""What Artifex's API answers to questions of convention: a method of a model or trainer each."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from golden.adapters import function_of_convention
from golden.adapters.artifex_build import Api
from golden.case import Case

Inputs = Mapping[str, jax.Array]
Outputs = Mapping[str, jax.Array]


def answer(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """What the method gives that has the quantity."""
    found: Outputs = function_of_convention(case, _FUNCTIONS)(api, **inputs)
    return found


def _model(api: Api, kind: str, latent: int = 1, **fields: Any) -> Any:
    """A model of a class, as small as can be: its loss is asked for outputs that are given."""
    encoder = api.configuration.EncoderConfig(
        name="e", input_shape=(1,), latent_dim=latent, hidden_dims=(1,), activation="relu"
    )
    decoder = api.configuration.DecoderConfig(
        name="d", output_shape=(1,), latent_dim=latent, hidden_dims=(1,), activation="relu"
    )
    config = getattr(api.configuration, f"{kind}Config")
    made = config(name="m", encoder=encoder, decoder=decoder, **fields)
    return getattr(api.vae, kind)(made, rngs=nnx.Rngs(0))


def _loss(
    model: Any,
    reconstructed: jax.Array,
    x: jax.Array,
    mean: jax.Array,
    log_var: jax.Array,
    **step: Any,
) -> Outputs:
    outputs = {"reconstructed": reconstructed, "mean": mean, "log_var": log_var}
    found: Outputs = model.loss_fn(batch=x, model_outputs=outputs, **step)
    return found


def _reconstruction(api: Api, reconstruction: jax.Array, target: jax.Array) -> Outputs:
    prior = jnp.zeros((1, 1))
    terms = _loss(_model(api, "VAE"), reconstruction, target, prior, prior)
    return {"value": terms["reconstruction_loss"]}


def _bernoulli(api: Api, reconstruction: jax.Array, target: jax.Array) -> Outputs:
    prior, model = jnp.zeros((1, 1)), _model(api, "BetaVAE", reconstruction_loss_type="bce")
    terms = _loss(model, reconstruction, target, prior, prior)
    return {"value": terms["reconstruction_loss"]}


def _in_training(loss_type: str, api: Api, reconstruction: jax.Array, target: jax.Array) -> Outputs:
    trainer = api.trainers.VAETrainer()
    return {"value": trainer.compute_reconstruction_loss(target, reconstruction, loss_type)}


def _kl(api: Api, mean: jax.Array, log_var: jax.Array) -> Outputs:
    data = jnp.zeros((1, 1))
    return {"value": _loss(_model(api, "VAE"), data, data, mean, log_var)["kl_loss"]}


def _kl_in_training(api: Api, mean: jax.Array, log_var: jax.Array) -> Outputs:
    return {"value": api.trainers.VAETrainer().compute_kl_loss(mean, log_var)[0]}


def _free_bits_in_training(api: Api, mean: jax.Array, log_var: jax.Array, floor: float) -> Outputs:
    held, plain = (
        api.trainers.VAETrainer(config).compute_kl_loss(mean, log_var)[0]
        for config in (api.trainers.VAETrainingConfig(free_bits=free) for free in (floor, 0.0))
    )
    return {"value": held / plain}


def _capacity(
    api: Api, mean: jax.Array, log_var: jax.Array, capacity: jax.Array, gamma: float
) -> Outputs:
    data, most = jnp.zeros((1, 1)), float(capacity.max())
    fields: dict[str, Any] = {"capacity_max": most, "capacity_num_iter": 1, "gamma": gamma}
    model = _model(api, "BetaVAEWithCapacity", use_capacity_control=True, **fields)
    terms = [_loss(model, data, data, mean, log_var, step=c / most) for c in capacity]
    return {"value": jnp.stack([term["total_loss"] for term in terms])}


def _log_variance(api: Api, log_var: jax.Array) -> Outputs:
    """A sample over that of the standard normal, with the same noise."""
    prior = jnp.zeros_like(log_var)
    samples = [_model(api, "VAE").reparameterize(prior, of) for of in (log_var, prior)]
    return {"value": samples[0] / samples[1]}


def _vector_quantization(
    api: Api, encoding: jax.Array, codebook: jax.Array, commitment_cost: float
) -> Outputs:
    model = _codes(api, codebook, commitment_cost=commitment_cost)
    data = jnp.zeros((1, 1))

    def loss(model: Any, encoding: jax.Array) -> jax.Array:
        outputs = {"reconstructed": data, **model.quantize(encoding)[1]}
        total: jax.Array = model.loss_fn(batch=data, model_outputs=outputs)["total_loss"]
        return total

    by_model, by_encoding = nnx.grad(loss, argnums=(0, 1))(model, encoding)
    by_codebook = by_model["embeddings"]["embedding"][...]
    return {"grad_encoding": by_encoding, "grad_codebook": by_codebook}


def _moving_average(
    api: Api,
    usage: jax.Array,
    total: jax.Array,
    codebook: jax.Array,
    vectors: jax.Array,
    indices: jax.Array,
    decay: float,
    epsilon: float,
    times: int,
) -> Outputs:
    del epsilon  # it is that of the question here, and no option
    codes = _codes(api, codebook, use_ema=True, ema_decay=decay).embeddings
    codes.usage[...], codes.total[...] = usage, total
    for _ in range(times):
        codes.learn(vectors, indices, None)
    return {"codebook": codes.embedding[...]}


def _codes(api: Api, codebook: jax.Array, **fields: Any) -> Any:
    count, width = codebook.shape
    model = _model(api, "VQVAE", width, num_embeddings=count, embedding_dim=width, **fields)
    model.embeddings.embedding[...] = codebook
    return model


_FUNCTIONS: Mapping[tuple[str, Any], Callable[..., Outputs]] = {
    ("reconstruction", "loss"): _reconstruction,
    ("reconstruction", "trainer"): partial(_in_training, "mse"),
    ("bernoulli", "loss"): _bernoulli,
    ("bernoulli", "trainer"): partial(_in_training, "bce"),
    ("saturation", "loss"): _bernoulli,
    ("saturation", "trainer"): partial(_in_training, "bce"),
    ("kl", "loss"): _kl,
    ("kl", "trainer"): _kl_in_training,
    ("kl_of_maps", "loss"): _kl,
    ("kl_of_maps", "trainer"): _kl_in_training,
    ("free_bits", "trainer"): _free_bits_in_training,
    ("capacity", "loss"): _capacity,
    ("log_variance", "sample"): _log_variance,
    ("vector_quantization", "loss"): _vector_quantization,
    ("moving_average", "codebook"): _moving_average,
}
