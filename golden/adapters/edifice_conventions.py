"""What `edifice_py` answers to questions of convention: a public function each."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from edifice_py import random
from edifice_py.core import gaussian, objective, quantize
from edifice_py.generative import vae
from golden.adapters import function_of_convention
from golden.case import Case

Inputs = Mapping[str, jax.Array]
Outputs = Mapping[str, jax.Array]


def answer(case: Case, inputs: Inputs) -> Outputs:
    """What the one loss, or the formula of the core, gives; there is no trainer here."""
    found: Outputs = function_of_convention(case, _FUNCTIONS)(**inputs)
    return found


def _reconstruction(reconstruction: jax.Array, target: jax.Array) -> Outputs:
    prior = jnp.zeros((1, 1))
    return {"value": vae.loss(reconstruction, target, prior, prior)}


def _kl(mean: jax.Array, log_var: jax.Array) -> Outputs:
    return {"value": vae.kl_divergence(mean, log_var)}


def _capacity(mean: jax.Array, log_var: jax.Array, capacity: jax.Array, gamma: float) -> Outputs:
    kl = gaussian.kl_divergence(mean, log_var)
    terms = [objective.capacity_objective(0.0, kl, c, gamma) for c in capacity]
    return {"value": jnp.stack(terms)}


def _free_bits(mean: jax.Array, log_var: jax.Array, floor: float) -> Outputs:
    kl = gaussian.kl_per_dimension(mean, log_var)
    return {"value": jnp.sum(gaussian.free_bits(kl, floor)) / jnp.sum(kl)}


def _log_variance(log_var: jax.Array) -> Outputs:
    """A sample over that of the standard normal, with the same noise."""
    prior, key = jnp.zeros_like(log_var), random.key(0)
    samples = [vae.reparameterize(prior, of, key)[0] for of in (log_var, prior)]
    return {"value": samples[0] / samples[1]}


def _vector_quantization(
    encoding: jax.Array, codebook: jax.Array, commitment_cost: float
) -> Outputs:
    def loss(encoding: jax.Array, codebook: jax.Array) -> jax.Array:
        codes = codebook[quantize.nearest_code(encoding, codebook)]
        return objective.vector_quantization_objective(
            0.0,
            quantize.codebook_loss(encoding, codes),
            quantize.commitment_loss(encoding, codes),
            commitment_cost,
        )

    by_encoding, by_codebook = jax.grad(loss, argnums=(0, 1))(encoding, codebook)
    return {"grad_encoding": by_encoding, "grad_codebook": by_codebook}


def _moving_average(
    usage: jax.Array,
    total: jax.Array,
    codebook: jax.Array,
    vectors: jax.Array,
    indices: jax.Array,
    decay: float,
    epsilon: float,
    times: int,
) -> Outputs:
    state = quantize.MovingCodebook(usage, total, codebook)
    for _ in range(times):
        state = quantize.ema_update(state, vectors, indices, decay, epsilon)
    return {"codebook": state.codebook}


_FUNCTIONS: Mapping[tuple[str, Any], Callable[..., Outputs]] = {
    ("reconstruction", "loss"): _reconstruction,
    ("kl", "loss"): _kl,
    ("kl_of_maps", "loss"): _kl,
    ("capacity", "loss"): _capacity,
    ("free_bits", "loss"): _free_bits,
    ("log_variance", "sample"): _log_variance,
    ("vector_quantization", "loss"): _vector_quantization,
    ("moving_average", "codebook"): _moving_average,
}
