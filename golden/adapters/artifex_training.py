"""The trainer's terms and whole runs, as Artifex was asked for them.

What a case asks for is one program, and so are the cases that ask for the same.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from golden.adapters.artifex_build import (
    Api,
    Outputs,
    build,
    one_program,
    recorded_step,
    values_of,
)
from golden.case import Case

Inputs = Mapping[str, Any]


def _trainer(trainers: Any, fields: Mapping[str, Any] | None) -> Any:
    return trainers.VAETrainer(trainers.VAETrainingConfig(**(fields or {})))


def _key(fields: Mapping[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    """Fields of a configuration, to find a function by that was compiled before."""
    return tuple((fields or {}).items())


def kl_weight(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`get_kl_weight`, one step after another."""
    trainer = _trainer(api.trainers, case.options["config"])
    steps = [recorded_step(step) for step in inputs["steps"]]
    return {"weight": np.stack([trainer.get_kl_weight(step) for step in steps])}


def free_bits(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`apply_free_bits`, and the gradient of its weighted sum."""
    asked = _free_bits(api.trainers, _key(case.options["config"]))
    gradient, held = asked(inputs["kl_per_dim"], inputs["w"])
    return {"kl_per_dim": held, "grad": gradient}


@cache
def _free_bits(trainers: Any, fields: Any) -> Any:
    trainer = _trainer(trainers, dict(fields))

    def total(kl: jax.Array, w: jax.Array) -> tuple[jax.Array, jax.Array]:
        held = trainer.apply_free_bits(kl)
        return jnp.sum(w * held), held

    return jax.jit(jax.grad(total, has_aux=True))


def kl_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`compute_kl_loss`, and its gradients."""
    asked = _kl_loss(api.trainers, _key(case.options["config"]))
    (total, per_sample), gradients = asked(inputs["mean"], inputs["logvar"])
    named = dict(zip(("grad_mean", "grad_logvar"), gradients, strict=True))
    return {"kl_loss": total, "kl_per_sample": per_sample, **named}


@cache
def _kl_loss(trainers: Any, fields: Any) -> Any:
    loss = _trainer(trainers, dict(fields)).compute_kl_loss
    return jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))


def reconstruction_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`compute_reconstruction_loss`, and its gradient by the reconstruction."""
    asked = _reconstruction_loss(api.trainers, case.options["options"]["loss_type"])
    value, gradient = asked(inputs["x"], inputs["recon"])
    return {"loss": value, "grad_recon": gradient}


@cache
def _reconstruction_loss(trainers: Any, kind: str) -> Any:
    def loss(x: jax.Array, recon: jax.Array) -> Any:
        return trainers.VAETrainer().compute_reconstruction_loss(x, recon, kind)

    return jax.jit(jax.value_and_grad(loss, argnums=1))


class _Stub(nnx.Module):
    """A model that gives what it holds."""

    def __init__(self, arrays: Inputs) -> None:
        self.recon, self.mean, self.log_var = (
            nnx.Param(arrays[name]) for name in ("recon", "mean", "log_var")
        )

    def __call__(self, x: jax.Array) -> Outputs:  # noqa: ARG002
        return {
            "reconstructed": self.recon[...],
            "mean": self.mean[...],
            "log_var": self.log_var[...],
        }


def whole_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`compute_loss` of a stand-in model, and its gradients."""
    asked = _whole_loss(api.trainers, _key(case.options["config"]), _key(case.options["options"]))
    (value, metrics), gradients = asked(_Stub(inputs), inputs["x"])
    found = {f"metrics/{name}": metric for name, metric in metrics.items()}
    named = {f"grad_{path[-1]}": v[...] for path, v in nnx.to_flat_state(gradients)}
    return {"loss_returned": value, **found, **named}


@cache
def _whole_loss(trainers: Any, fields: Any, given: Any) -> Any:
    trainer, options = _trainer(trainers, dict(fields)), dict(given)

    def loss(model: nnx.Module, x: jax.Array) -> Any:
        batch = {options["batch_key"]: x}
        return trainer.compute_loss(model, batch, options["step"], options["loss_type"])

    return one_program()(nnx.value_and_grad(loss, has_aux=True))


def optimizer_of(case: Case, model: nnx.Module) -> nnx.Optimizer[Any]:
    """The optimizer that a recorded expression like `optax.adam(1e-3)` makes."""
    rate = str(case.options["optimizer"]).partition("adam(")[2].partition(")")[0]
    return nnx.Optimizer(model, _adam(float(rate)), wrt=nnx.Param)


_adam = cache(optax.adam)  # a program that was compiled with one is found by that one alone


def run(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """A whole run of `train_step`, compiled."""
    options = case.options["options"]
    kind, key = options["loss_type"], options["batch_key"]
    model = build(api, case)
    optimizer = optimizer_of(case, model)
    batches = np.asarray(inputs["batches"])  # JAX would compile a program that takes them apart
    found: Outputs = values_of(model, nnx.Param, "initial")
    gradient, step = _steps(api.trainers, _key(case.options["trainer"]), kind)
    found |= values_of(gradient(model, {key: batches[0]}), nnx.Param, "grads_first")
    found |= values_of(model, nnx.BatchStat, "initial_batch_stats")
    rows = []
    for index, batch in enumerate(batches):
        loss, metrics = step(model, optimizer, {key: batch}, step=index, loss_type=kind)
        rows.append({"loss_returned": loss} | {f"metrics/{n}": m for n, m in metrics.items()})
        if index == 0:
            found |= values_of(model, nnx.Param, "after_first")
            found |= values_of(model, nnx.BatchStat, "after_first_batch_stats")
    found |= values_of(model, nnx.Param, "final")
    found |= values_of(model, nnx.BatchStat, "final_batch_stats")
    return found | {name: np.stack([row[name] for row in rows]) for name in rows[0]}


@cache
def _steps(trainers: Any, fields: Any, kind: str) -> tuple[Any, Any]:
    """The gradients at the first step, of a copy, and `train_step`."""
    trainer = _trainer(trainers, dict(fields))

    @one_program()
    def gradient(model: nnx.Module, batch: Inputs) -> Any:
        def loss(model: nnx.Module) -> Any:
            return trainer.compute_loss(model, batch, 0, kind)[0]

        return nnx.grad(loss)(nnx.clone(model))

    return gradient, one_program("loss_type")(trainer.train_step)
