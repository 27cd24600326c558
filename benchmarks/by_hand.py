"""Training loops as one writes them by hand in JAX: the other side of `benchmarks/training.py`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

WARMUP = 10000
COMMITMENT = 0.25
ADAM = optax.adam(1e-3)
Loss = Callable[[Any, jax.Array, jax.Array, jax.Array], Any]


def dense(layer: Any, x: jax.Array) -> jax.Array:
    """A dense layer."""
    return x @ layer["kernel"] + layer["bias"]


def stack(layers: Any, x: jax.Array) -> jax.Array:
    """Dense layers with relu."""
    for index in sorted(layers):
        x = jax.nn.relu(dense(layers[index], x))
    return x


def encode(params: Any, x: jax.Array) -> jax.Array:
    """The encoder below its heads."""
    return stack(params["encoder"]["backbone"]["layers"], x)


def decode(params: Any, z: jax.Array) -> jax.Array:
    """The decoder."""
    h = stack(params["decoder"]["backbone"]["layers"], z)
    return jax.nn.sigmoid(dense(params["decoder"]["output_layer"], h))


def vae_loss(params: Any, x: jax.Array, key: jax.Array, step: jax.Array) -> Any:
    """The loss of `VAETrainer`."""
    h = encode(params, x)
    mean = dense(params["encoder"]["mean_proj"], h)
    log_var = dense(params["encoder"]["logvar_proj"], h)
    noise = jax.random.normal(key, mean.shape)
    output = decode(params, mean + jnp.exp(0.5 * jnp.clip(log_var, -20, 20)) * noise)
    error = jnp.mean(jnp.sum((output - x) ** 2, axis=1))
    kl = jnp.mean(-0.5 * jnp.sum(1 + log_var - mean**2 - jnp.exp(log_var), axis=1))
    weight = jnp.minimum(1.0, step / WARMUP)
    return error + weight * kl, (error, kl, weight)


def vq_loss(params: Any, x: jax.Array, key: jax.Array, step: jax.Array) -> Any:
    """The loss of `VQVAE`."""
    del key, step
    z, codebook = dense(params["encoder"]["mean_proj"], encode(params, x)), params["codebook"]
    products = z @ codebook.T
    distances = jnp.sum(z**2, 1)[:, None] - 2 * products + jnp.sum(codebook**2, 1)
    codes = codebook[jnp.argmin(distances, axis=1)]
    codebook_loss = jnp.mean((codes - jax.lax.stop_gradient(z)) ** 2)
    commitment = jnp.mean((jax.lax.stop_gradient(codes) - z) ** 2)
    error = jnp.mean((decode(params, z + jax.lax.stop_gradient(codes - z)) - x) ** 2)
    return error + codebook_loss + COMMITMENT * commitment, (error, codebook_loss, commitment)


def step(loss: Loss, carry: Any, x: jax.Array) -> Any:
    """One step on a batch."""
    params, state, key, count = carry
    key, noise_key = jax.random.split(key)
    found, gradients = jax.value_and_grad(loss, has_aux=True)(params, x, noise_key, count)
    updates, state = ADAM.update(gradients, state, params)
    return (optax.apply_updates(params, updates), state, key, count + 1), found


def epoch(loss: Loss, batch: int, carry: Any, data: jax.Array, number: jax.Array) -> Any:
    """An epoch over shuffled batches."""
    key = jax.random.fold_in(jax.random.key(0), number)
    rows = jax.random.permutation(key, data.shape[0]).reshape(-1, batch)
    return jax.lax.scan(lambda carry, row: step(loss, carry, data[row]), carry, rows)


def start(params: Any) -> Any:
    """What both carry: parameters, optimizer state, key, count of steps."""
    params = jax.tree.map(jnp.array, params)
    return params, ADAM.init(params), jax.random.key(0), jnp.zeros(())
