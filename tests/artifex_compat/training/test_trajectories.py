"""Artifex's recorded runs of 20 steps, taken by `Trainer`: as one epoch, and step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.training import Trainer, VAETrainer, VAETrainingConfig
from golden import loader
from golden.adapters.artifex_build import api_of, build
from golden.adapters.artifex_training import optimizer_of
from golden.tolerances import TABLE

CASES = {case.name: case for case in loader.load(loader.SHIPPED, "artifex-0.1.3:training/*")}


def trainer(case, **options):
    model = build(api_of("artifex_compat"), case)
    optimizer = optimizer_of(case, model)
    loss = VAETrainer(VAETrainingConfig(**(case.options["trainer"] or {})))
    return Trainer(
        model, optimizer, loss, loss_type=case.options["options"]["loss_type"], **options
    )


def batches(case):
    return jnp.asarray(case.inputs["batches"])


def close(had, wanted, tolerance):
    np.testing.assert_allclose(had, wanted, rtol=tolerance.relative, atol=tolerance.absolute)


@pytest.mark.parametrize("name", CASES)
def test_one_compiled_epoch(name):
    case = CASES[name]
    run, data = trainer(case), batches(case)
    examples = data.reshape(-1, *data.shape[2:])
    (row,) = run.train(examples, 1, data.shape[1], shuffle=False)
    close(row["loss"], case.outputs["loss_returned"].mean(), TABLE["steps", "f32"])
    for path, parameter in nnx.to_flat_state(nnx.state(run.model, nnx.Param)):
        name = "/".join(map(str, path))
        if name not in case.why:  # the recorder says which array is noise: its gradient is zero
            close(parameter[...], case.outputs[f"final/{name}"], TABLE["run", "f32"])


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_step_by_step(dtype):
    case = CASES[min(CASES)]
    run = trainer(case, compute_dtype=jnp.bfloat16 if dtype == "bf16" else None)
    losses = [run.train_step(batch)["loss"] for batch in batches(case)]
    close(losses, case.outputs["loss_returned"], TABLE["steps", dtype])
    assert {leaf.dtype for leaf in jax.tree.leaves(nnx.state(run.model, nnx.Param))} == {
        jnp.dtype("float32")
    }
