"""Losses and the quantization of given arrays, as Artifex was asked for them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from golden.adapters.artifex_build import Api, Outputs, build, recorded_step
from golden.case import Case

Inputs = Mapping[str, Any]

_CUSTOM: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "lambda pred, targ: mean(|pred - targ|)": lambda pred, targ: jnp.mean(jnp.abs(pred - targ)),
    "lambda pred, targ: mean(pred**2 - 2*targ)": lambda pred, targ: jnp.mean(pred**2 - 2 * targ),
}
_POSTERIOR = ("reconstructed", "mean", "log_var")


def posterior_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`loss_fn` of a model with a posterior, for one step or for several."""
    model, call = build(api, case), str(case.options["call"])
    options: dict[str, Any] = {}
    if beta := re.search(r"beta=([\d.]+)", call):
        options["beta"] = float(beta.group(1))
    if custom := re.search(r"reconstruction_loss_fn=(.*)\)$", call):
        options["reconstruction_loss_fn"] = _CUSTOM[custom.group(1)]
    given = {name: inputs[name] for name in _POSTERIOR}

    def terms(outputs: Any, step: Any) -> Outputs:
        stepped = options if step is None else options | {"step": step}
        found: Outputs = model.loss_fn(batch=inputs["x"], model_outputs=outputs, **stepped)
        return found

    steps = [recorded_step(step) for step in inputs["steps"]] if "steps" in inputs else [None]
    rows = [terms(given, step) for step in steps]
    place = re.search(r"gradients at steps\[(-?\d+)\]", call)
    at = steps[int(place.group(1))] if place else None
    gradients = jax.grad(lambda outputs: terms(outputs, at)["total_loss"])(given)
    stacked = rows[0] if at is None else {n: jnp.stack([row[n] for row in rows]) for n in rows[0]}
    return stacked | {f"grad_{name}": array for name, array in gradients.items()}


def codebook_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`VQVAE.loss_fn` of given outputs, some of them nested; the loss type is Artifex's bce."""
    model = build(api, case)
    model.reconstruction_loss_type = "bce"
    scalars = tuple(name for name in inputs if name not in ("x", "reconstructed"))
    nested = "quantization_aux" in str(case.options["setup"])

    def terms(outputs: Inputs) -> Outputs:
        aux = {name: outputs[name] for name in scalars}
        placed = {"quantization_aux": aux} if nested else aux
        every = {"reconstructed": outputs["reconstructed"], **placed}
        found: Outputs = model.loss_fn(batch=inputs["x"], model_outputs=every)
        return found

    given = {name: inputs[name] for name in ("reconstructed", *scalars)}
    gradients = jax.grad(lambda outputs: terms(outputs)["total_loss"])(given)
    return terms(given) | {f"grad_{name}": array for name, array in gradients.items()}


def quantize(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`VQVAE.quantize`, and the gradients of what it gives by encoding and codebook."""
    model = build(api, case)
    if case.options["override_codebook"]:
        model.embeddings.embedding[...] = inputs["codebook"]
    terms: dict[str, Callable[..., jax.Array]] = {
        "commitment_loss": lambda model, encoding: model.quantize(encoding)[1]["commitment_loss"],
        "codebook_loss": lambda model, encoding: model.quantize(encoding)[1]["codebook_loss"],
        "quantized": lambda model, encoding: jnp.sum(inputs["w"] * model.quantize(encoding)[0]),
    }
    quantized, aux = model.quantize(inputs["encoding"])
    found: Outputs = {"quantized": quantized} | {
        f"aux/{name}": value for name, value in aux.items()
    }
    for term, function in terms.items():
        by_model, by_encoding = nnx.grad(function, argnums=(0, 1))(model, inputs["encoding"])
        found[f"grad_{term}_codebook"] = by_model["embeddings"]["embedding"][...]
        found[f"grad_{term}_encoding"] = by_encoding
    return found
