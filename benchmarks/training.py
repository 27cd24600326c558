"""What training costs in `Trainer` and `VAETrainer`, as ratios to loops written by hand.

`Trainer.train` stands against one donated `lax.scan` over the same shuffled batches, the step of
`VAETrainer(model, optimizer, config)` against one donated `jax.jit`, and images against PyTorch's
eager step where `--pytorch PYTHON` names an interpreter that has it. Each side is a process of its
own, and both run in turn.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

import by_hand
from artifex_compat.generative_models.training import Trainer, VAETrainer
from interleaved import Worker, compare, serve
from workloads import WORKLOADS, Workload

ROUNDS = 9
PYTORCH = Path(__file__).with_name("eager_pytorch.py")


def ours_epoch(workload: Workload) -> Callable[[], Any]:
    """`Trainer.train` for an epoch."""
    model = workload.model()
    loss = None if workload.codes else VAETrainer()
    trainer = Trainer(model, nnx.Optimizer(model, by_hand.ADAM, wrt=nnx.Param), loss)
    data = jnp.asarray(workload.data())
    return lambda: trainer.train(data, 1, workload.batch)


def hand_epoch(workload: Workload) -> Callable[[], Any]:
    """The scan for an epoch."""
    loss = by_hand.vq_loss if workload.codes else by_hand.vae_loss
    scan = jax.jit(partial(by_hand.epoch, loss, workload.batch), donate_argnums=0)
    carry, number, data = by_hand.start(workload.params()), 0, jnp.asarray(workload.data())

    def run() -> None:
        nonlocal carry, number
        carry, metrics = scan(carry, data, jnp.asarray(number))
        number += 1
        jax.device_get(metrics)

    return run


def ours_step(workload: Workload) -> Callable[[], Any]:
    """`VAETrainer.train_step`, as often as an epoch has batches."""
    model = workload.model()
    trainer = VAETrainer(model, nnx.Optimizer(model, by_hand.ADAM, wrt=nnx.Param))
    x = jnp.asarray(workload.data()[: workload.batch])

    def run() -> None:
        for index in range(workload.steps):
            loss, _ = trainer.train_step(x, step=index)
        jax.block_until_ready(loss)

    return run


def hand_step(workload: Workload) -> Callable[[], Any]:
    """The jitted step, as often."""
    loss = by_hand.vq_loss if workload.codes else by_hand.vae_loss
    step = jax.jit(partial(by_hand.step, loss), donate_argnums=0)
    carry, x = by_hand.start(workload.params()), jnp.asarray(workload.data()[: workload.batch])

    def run() -> None:
        nonlocal carry
        for _ in range(workload.steps):
            carry, (found, _) = step(carry, x)
        jax.block_until_ready(found)

    return run


SIDES = {
    "ours_epoch": ours_epoch,
    "hand_epoch": hand_epoch,
    "ours_step": ours_step,
    "hand_step": hand_step,
}


def work(side: str, name: str) -> None:
    """Be one side of a comparison."""
    run = SIDES[side](WORKLOADS[name])
    run()  # compiles

    def seconds() -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    serve(seconds)


def versus(title: str, first: list[str], second: list[str]) -> None:
    """Print how two workers compare."""
    workers = Worker(first), Worker(second)
    print(f"{title}: {compare(*workers, ROUNDS)}", flush=True)
    for worker in workers:
        worker.end()


def main() -> None:
    """Measure every workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=WORKLOADS, help="one workload")
    parser.add_argument("--pytorch", metavar="PYTHON", help="an interpreter that has torch")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(*options.work)
        return
    for name in [options.only] if options.only else WORKLOADS:
        sides = {side: [sys.executable, __file__, "--work", side, name] for side in SIDES}
        if len(WORKLOADS[name].shape) == 1:
            versus(f"{name}, Trainer.train / lax.scan", sides["ours_epoch"], sides["hand_epoch"])
            versus(f"{name}, train_step / jax.jit", sides["ours_step"], sides["hand_step"])
        elif options.pytorch:
            eager = [options.pytorch, str(PYTORCH)]
            versus(f"{name}, Trainer.train / PyTorch", sides["ours_epoch"], eager)
            versus(f"{name}, train_step / PyTorch", sides["ours_step"], eager)


if __name__ == "__main__":
    main()
