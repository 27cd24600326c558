"""The trainer's terms and whole runs, as Artifex was asked for them."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from golden.adapters.artifex_build import (
    Api,
    Outputs,
    build,
    recorded_step,
    values_of,
    with_compiled_networks,
)
from golden.case import Case

Inputs = Mapping[str, Any]


def _trainer(api: Api, fields: Mapping[str, Any] | None) -> Any:
    return api.trainers.VAETrainer(api.trainers.VAETrainingConfig(**(fields or {})))


def kl_weight(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`get_kl_weight`, one step after another."""
    trainer = _trainer(api, case.options["config"])
    steps = [recorded_step(step) for step in inputs["steps"]]
    return {"weight": jnp.stack([trainer.get_kl_weight(step) for step in steps])}


def free_bits(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`apply_free_bits`, and the gradient of its weighted sum."""
    trainer, kl = _trainer(api, case.options["config"]), inputs["kl_per_dim"]
    gradient = jax.grad(lambda kl: jnp.sum(inputs["w"] * trainer.apply_free_bits(kl)))(kl)
    return {"kl_per_dim": trainer.apply_free_bits(kl), "grad": gradient}


def kl_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`compute_kl_loss`, and its gradients."""
    trainer, arrays = _trainer(api, case.options["config"]), (inputs["mean"], inputs["logvar"])
    total, per_sample = trainer.compute_kl_loss(*arrays)
    gradients = jax.grad(lambda *a: trainer.compute_kl_loss(*a)[0], argnums=(0, 1))(*arrays)
    named = dict(zip(("grad_mean", "grad_logvar"), gradients, strict=True))
    return {"kl_loss": total, "kl_per_sample": per_sample, **named}


def reconstruction_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`compute_reconstruction_loss`, and its gradient by the reconstruction."""

    def loss(recon: jax.Array) -> Any:
        kind = case.options["options"]["loss_type"]
        return api.trainers.VAETrainer().compute_reconstruction_loss(inputs["x"], recon, kind)

    return {"loss": loss(inputs["recon"]), "grad_recon": jax.grad(loss)(inputs["recon"])}


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
    trainer, options = _trainer(api, case.options["config"]), case.options["options"]

    def loss(model: nnx.Module) -> Any:
        batch = {options["batch_key"]: inputs["x"]}
        return trainer.compute_loss(model, batch, options["step"], options["loss_type"])

    (value, metrics), gradients = nnx.value_and_grad(loss, has_aux=True)(_Stub(inputs))
    found = {f"metrics/{name}": metric for name, metric in metrics.items()}
    named = {f"grad_{path[-1]}": v[...] for path, v in nnx.to_flat_state(gradients)}
    return {"loss_returned": value, **found, **named}


def optimizer_of(case: Case, model: nnx.Module) -> nnx.Optimizer[Any]:
    """The optimizer that a recorded expression like `optax.adam(1e-3)` makes."""
    rate = str(case.options["optimizer"]).partition("adam(")[2].partition(")")[0]
    return nnx.Optimizer(model, optax.adam(float(rate)), wrt=nnx.Param)


def run(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """A whole run of `train_step`, compiled."""
    trainer, options = _trainer(api, case.options["trainer"]), case.options["options"]
    kind, key = options["loss_type"], options["batch_key"]
    model = build(api, case)
    optimizer = optimizer_of(case, model)
    batches = inputs["batches"]
    found: Outputs = values_of(model, nnx.Param, "initial")

    def first(model: nnx.Module) -> Any:
        return trainer.compute_loss(model, {key: batches[0]}, 0, kind)[0]

    gradients = nnx.grad(first)(with_compiled_networks(nnx.clone(model)))
    found |= values_of(gradients, nnx.Param, "grads_first")
    found |= values_of(model, nnx.BatchStat, "initial_batch_stats")
    step = nnx.jit(trainer.train_step, static_argnames="loss_type")
    rows = []
    for index, batch in enumerate(batches):
        loss, metrics = step(model, optimizer, {key: batch}, step=index, loss_type=kind)
        rows.append({"loss_returned": loss} | {f"metrics/{n}": m for n, m in metrics.items()})
        if index == 0:
            found |= values_of(model, nnx.Param, "after_first")
            found |= values_of(model, nnx.BatchStat, "after_first_batch_stats")
    found |= values_of(model, nnx.Param, "final")
    found |= values_of(model, nnx.BatchStat, "final_batch_stats")
    return found | {name: jnp.stack([row[name] for row in rows]) for name in rows[0]}
