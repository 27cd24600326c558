"""What a training step of the functional API costs, as a ratio to the same step in bare JAX.

Both are one jitted function, parameters and optimizer state donated: encode, sample, decode, loss,
Adam. The bare one is written out with `jax.random.normal` and `@`.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from by_hand import dense
from edifice_py import random, vae
from interleaved import compare

WORKLOADS = {
    "64-[64]-8, batch 64": (64, [64], 8, 64),
    "784-[256,128]-32, batch 128": (784, [256, 128], 32, 128),
}
STEPS, ROUNDS = 300, 15
OPTIMIZER = optax.adam(1e-3)
Step = Callable[[Any], Any]


def bare_loss(params: Any, x: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The VAE written out."""
    h, layers = x, params["encoder"]
    for name in layers:
        if "dense" in name:
            h = jax.nn.relu(dense(layers[name], h))
    mu, log_var = dense(layers["mu"], h), dense(layers["log_var"], h)
    key, noise_key = jax.random.split(key)
    h = mu + jnp.exp(0.5 * log_var) * jax.random.normal(noise_key, mu.shape)
    layers = params["decoder"]
    for name in layers:
        if "dense" in name:
            h = jax.nn.relu(dense(layers[name], h))
    output = dense(layers["decoder_output"], h)
    kl = -0.5 * jnp.sum(1 + log_var - mu**2 - jnp.exp(log_var), axis=-1)
    return jnp.mean((output - x) ** 2) + jnp.mean(kl), key


def api_loss(encoder: Any, decoder: Any) -> Any:
    """The VAE of the functional API."""

    def loss(params: Any, x: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        posterior = encoder.apply(params["encoder"], x)
        z, key = vae.reparameterize(posterior["mu"], posterior["log_var"], key)
        output = decoder.apply(params["decoder"], z)
        return vae.loss(output, x, posterior["mu"], posterior["log_var"]), key

    return loss


def make_step(loss: Any, x: jax.Array) -> Step:
    """One donated, jitted step of `(params, optimizer state, key)`."""

    def step(carry: Any) -> Any:
        params, state, key = carry
        (_, key), gradients = jax.value_and_grad(loss, has_aux=True)(params, x, key)
        updates, state = OPTIMIZER.update(gradients, state)
        return optax.apply_updates(params, updates), state, key

    return jax.jit(step, donate_argnums=0)


def timer(step: Step, params: Any, key: jax.Array) -> Callable[[], float]:
    """A function that times `STEPS` steps, warmed up."""
    params = jax.tree.map(jnp.copy, params)
    carry = jax.block_until_ready(step((params, OPTIMIZER.init(params), jnp.copy(key))))

    def seconds() -> float:
        nonlocal carry
        start = time.perf_counter()
        for _ in range(STEPS):
            carry = step(carry)
        jax.block_until_ready(carry)
        return time.perf_counter() - start

    return seconds


def main() -> None:
    """Measure every workload."""
    for name, (inputs, hidden, latent, batch) in WORKLOADS.items():
        encoder, decoder = vae.build(
            input_size=inputs,
            latent_size=latent,
            encoder_sizes=hidden,
            decoder_sizes=hidden[::-1],
        )
        params = {"encoder": encoder.init(0), "decoder": decoder.init(0)}
        x, _ = random.uniform(random.key(1), (batch, inputs))
        ours = timer(make_step(api_loss(encoder, decoder), x), params, random.key(0))
        theirs = timer(make_step(bare_loss, x), params, jax.random.PRNGKey(0))
        print(f"{name}, {STEPS} steps, ours / bare JAX: {compare(ours, theirs, ROUNDS)}")


if __name__ == "__main__":
    main()
