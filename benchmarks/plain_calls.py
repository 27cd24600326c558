"""What documented calls cost, as ratios to the released Artifex 0.1.3: `nox -s bench_artifex`.

Each side of a comparison is a process of its own, which runs the same code on `artifex`: the
released library, or ours by its aliases. A first call is timed in a new process.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from interleaved import Worker, compare, serve

DENSE = {"64-[64]-8": ((64,), (64,), 8), "784-[256,128]-32": ((784,), (256, 128), 32)}
WORKLOADS = DENSE | {"CNN 32x32x1-[32,64]-16": ((32, 32, 1), (32, 64), 16)}
CALLS = (
    "model(x)",
    "encode",
    "decode",
    "sample",
    "reconstruct",
    "interpolate",
    "latent_traversal",
    "train_step",
    "nnx.jit(train_step)",
)
FIRST_CALLS = ("train_step", "nnx.jit(train_step)", "nnx.jit(encode)")
BATCH, REPEATS, ROUNDS, FIRST_ROUNDS = 32, 20, 9, 3


def calls(workload: str) -> dict[str, Callable[[], Any]]:
    """The calls of a workload, on a new model."""
    import jax
    import numpy as np
    import optax
    from artifex.generative_models.core.configuration import (
        DecoderConfig,
        EncoderConfig,
        VAEConfig,
    )
    from artifex.generative_models.models.vae import VAE
    from artifex.generative_models.training.trainers import VAETrainer, VAETrainingConfig
    from flax import nnx

    shape, hidden, latent = WORKLOADS[workload]
    sizes: dict[str, Any] = {"hidden_dims": hidden, "activation": "relu", "latent_dim": latent}
    config = VAEConfig(
        name="model",
        encoder=EncoderConfig(name="encoder", input_shape=shape, **sizes),
        decoder=DecoderConfig(name="decoder", output_shape=shape, **sizes),
        encoder_type="cnn" if len(shape) == 3 else "dense",
    )
    model = VAE(config, rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    trainer = VAETrainer(VAETrainingConfig())
    jitted_step, jitted_encode = nnx.jit(trainer.train_step), nnx.jit(type(model).encode)
    generator = np.random.default_rng(0)
    x = jax.numpy.asarray(generator.random((BATCH, *shape), dtype=np.float32))
    z = jax.numpy.asarray(generator.standard_normal((BATCH, latent), dtype=np.float32))
    return {
        "model(x)": lambda: model(x),
        "encode": lambda: model.encode(x),
        "decode": lambda: model.decode(z),
        "sample": lambda: model.sample(BATCH),
        "reconstruct": lambda: model.reconstruct(x),
        "interpolate": lambda: model.interpolate(x[:1], x[1:2], 10),
        "latent_traversal": lambda: model.latent_traversal(x[:1], 0),
        "train_step": lambda: trainer.train_step(model, optimizer, {"image": x}),
        "nnx.jit(train_step)": lambda: jitted_step(model, optimizer, {"image": x}),
        "nnx.jit(encode)": lambda: jitted_encode(model, x),
    }


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """How long a call takes until its result is there, the median of some."""
    import jax

    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - began)
    return median(times)


def work(side: str, workload: str, name: str, mode: str) -> None:
    """Be one side of a comparison."""
    if side == "ours":
        os.environ["ARTIFEX_COMPAT_OVERRIDE"] = "1"
        import artifex_compat.aliases  # noqa: F401
    call = calls(workload)[name]
    if mode == "first":
        print(seconds(call, 1))
        return
    seconds(call, 3)
    serve(lambda: seconds(call, REPEATS))


def command(*arguments: str) -> list[str]:
    """One side, as a process."""
    return [sys.executable, __file__, *arguments]


def first(*arguments: str) -> float:
    """Seconds of a first call, in a new process."""
    done = subprocess.run(command(*arguments, "first"), check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the ratio of every call."""
    if len(sys.argv) == 5:
        work(*sys.argv[1:])
        return
    wanted = sys.argv[1:] or list(WORKLOADS)
    for workload in wanted:
        for name in CALLS:
            one, other = (
                Worker(command(side, workload, name, "steady")) for side in ("ours", "theirs")
            )
            print(f"{workload}, {name}: {compare(one, other, ROUNDS)}", flush=True)
            one.end()
            other.end()
        for name in FIRST_CALLS:
            ours, theirs = (partial(first, side, workload, name) for side in ("ours", "theirs"))
            ratio = compare(ours, theirs, FIRST_ROUNDS)
            print(f"{workload}, first {name}: {ratio}", flush=True)


if __name__ == "__main__":
    main()
