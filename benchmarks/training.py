"""What training costs in `Trainer` and `VAETrainer`, as ratios to loops written by hand in JAX.

`Trainer.train` stands against one donated `lax.scan` over the same shuffled batches, and the step
of `VAETrainer(model, optimizer, config)` against one donated `jax.jit`. Each workload runs in this
process, ours and theirs in turn.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from artifex_compat.generative_models.models.vae import VAE, MLPDecoder, MLPEncoder
from artifex_compat.generative_models.training import Trainer, VAETrainer, VAETrainingConfig
from interleaved import compare

WORKLOADS = {
    "W1 64-[64]-8, batch 64": (64, [64], 8, 64, 128),
    "W2 784-[256,128]-32, batch 128": (784, [256, 128], 32, 128, 32),
}
ROUNDS = 9
WARMUP = 10000
ADAM = optax.adam(1e-3)


def model_of(features: int, hidden: list[int], latent: int) -> VAE:
    """The model of a workload."""
    rngs = nnx.Rngs(0)
    encoder = MLPEncoder(hidden, latent, input_dim=features, rngs=rngs)
    decoder = MLPDecoder(hidden[::-1], features, latent, rngs=rngs)
    return VAE(encoder, decoder, latent, rngs=rngs)


def dense(layer: Any, x: jax.Array) -> jax.Array:
    """A bare dense layer."""
    return x @ layer["kernel"] + layer["bias"]


def stack(layers: Any, x: jax.Array) -> jax.Array:
    """Bare dense layers with relu."""
    for index in sorted(layers):
        x = jax.nn.relu(dense(layers[index], x))
    return x


def bare_loss(params: Any, x: jax.Array, key: jax.Array, step: jax.Array) -> Any:
    """The loss of `VAETrainer`, written out."""
    encoder, decoder = params["encoder"], params["decoder"]
    h = stack(encoder["backbone"]["layers"], x)
    mean, log_var = dense(encoder["mean_proj"], h), dense(encoder["logvar_proj"], h)
    noise = jax.random.normal(key, mean.shape)
    z = mean + jnp.exp(0.5 * jnp.clip(log_var, -20, 20)) * noise
    h = stack(decoder["backbone"]["layers"], z)
    output = jax.nn.sigmoid(dense(decoder["output_layer"], h))
    error = jnp.mean(jnp.sum((output - x) ** 2, axis=1))
    kl = jnp.mean(-0.5 * jnp.sum(1 + log_var - mean**2 - jnp.exp(log_var), axis=1))
    weight = jnp.minimum(1.0, step / WARMUP)
    return error + weight * kl, (error, kl, weight)


def bare_step(carry: Any, x: jax.Array) -> Any:
    """One step, written out."""
    params, state, key, step = carry
    key, noise_key = jax.random.split(key)
    grad = jax.value_and_grad(bare_loss, has_aux=True)
    (loss, terms), gradients = grad(params, x, noise_key, step)
    updates, state = ADAM.update(gradients, state, params)
    return (optax.apply_updates(params, updates), state, key, step + 1), (loss, terms)


def bare_epoch(carry: Any, data: jax.Array, epoch: jax.Array, batch: int) -> Any:
    """An epoch over shuffled batches, written out."""
    order = jax.random.permutation(jax.random.fold_in(jax.random.key(0), epoch), data.shape[0])
    rows = order.reshape(-1, batch)
    return jax.lax.scan(lambda carry, row: bare_step(carry, data[row]), carry, rows)


def epochs(features: int, hidden: list[int], latent: int, batch: int, steps: int) -> str:
    """`Trainer.train` against the scan."""
    data = np.random.default_rng(0).random((batch * steps, features), dtype=np.float32)
    model = model_of(features, hidden, latent)
    carry = start(model)
    trainer = Trainer(model, nnx.Optimizer(model, ADAM, wrt=nnx.Param), VAETrainer())
    on_device = jnp.asarray(data)
    scan = jax.jit(bare_epoch, donate_argnums=0, static_argnums=3)

    def ours() -> None:
        trainer.train(on_device, 8, batch)

    def theirs() -> None:
        nonlocal carry
        for epoch in range(8):
            carry, metrics = scan(carry, on_device, jnp.asarray(epoch), batch)
            jax.device_get(metrics)

    return compare(timed(ours), timed(theirs), ROUNDS)


def steps(features: int, hidden: list[int], latent: int, batch: int, count: int) -> str:
    """The compiled `train_step` against the jitted step."""
    x = jnp.asarray(np.random.default_rng(0).random((batch, features), dtype=np.float32))
    model = model_of(features, hidden, latent)
    carry = start(model)
    config = VAETrainingConfig(kl_warmup_steps=WARMUP)
    trainer = VAETrainer(model, nnx.Optimizer(model, ADAM, wrt=nnx.Param), config)
    step = jax.jit(bare_step, donate_argnums=0)

    def ours() -> None:
        for index in range(8 * count):
            loss, _ = trainer.train_step(x, step=index)
        jax.block_until_ready(loss)

    def theirs() -> None:
        nonlocal carry
        for _ in range(8 * count):
            carry, (loss, _) = step(carry, x)
        jax.block_until_ready(loss)

    return compare(timed(ours), timed(theirs), ROUNDS)


def start(model: VAE) -> Any:
    """What the bare loops carry: parameters, optimizer state, key, step."""
    params = jax.tree.map(jnp.array, nnx.to_pure_dict(nnx.state(model, nnx.Param)))
    return params, ADAM.init(params), jax.random.key(0), jnp.zeros(())


def timed(run: Callable[[], None]) -> Callable[[], float]:
    """A function that times a run, after one that compiles."""
    run()

    def seconds() -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    return seconds


def main() -> None:
    """Measure every workload."""
    for name, workload in WORKLOADS.items():
        print(f"{name}, Trainer.train / lax.scan: {epochs(*workload)}", flush=True)
        print(f"{name}, train_step / jax.jit: {steps(*workload)}", flush=True)


if __name__ == "__main__":
    main()
