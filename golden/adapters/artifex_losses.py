"""Losses and the quantization of given arrays, as Artifex was asked for them.

What a case asks for is one program where its numbers allow it: alone, each operation takes its own
compilation.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from golden.adapters.artifex_build import Api, Outputs, build, one_program, recorded_step
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
    steps = [recorded_step(step) for step in inputs.get("steps", ())]
    place = re.search(r"gradients at steps\[(-?\d+)\]", call)
    at = steps[int(place.group(1))] if place else None
    given = {name: inputs[name] for name in _POSTERIOR}
    terms, gradients = _posterior_terms(
        model, given, inputs["x"], options=tuple(options.items()), steps=tuple(steps), at=at
    )
    return terms | {f"grad_{name}": array for name, array in gradients.items()}


@one_program("options", "steps", "at")
def _posterior_terms(
    model: Any, given: Any, x: jax.Array, options: Any, steps: Any, at: Any
) -> tuple[Outputs, Outputs]:
    """Terms, at each of the steps where there are any, and the gradients at one of them."""

    def terms(outputs: Any, step: Any) -> Outputs:
        stepped = dict(options) if step is None else {**dict(options), "step": step}
        found: Outputs = model.loss_fn(batch=x, model_outputs=outputs, **stepped)
        return found

    gradients = jax.grad(lambda outputs: terms(outputs, at)["total_loss"])(given)
    if at is None:
        return terms(given, None), gradients
    rows = [terms(given, step) for step in steps]
    return {name: jnp.stack([row[name] for row in rows]) for name in rows[0]}, gradients


def codebook_loss(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`VQVAE.loss_fn` of given outputs, some of them nested; the loss type is Artifex's bce.

    It is asked operation by operation, as it was recorded: of Artifex's log(1 - p + 1e-8) XLA makes
    log(1 + 1e-8 - p) where it sees all of it, which is infinite at 1.
    """
    model = build(api, case)
    model.reconstruction_loss_type = "bce"
    scalars = tuple(name for name in inputs if name not in ("x", "reconstructed"))
    nested = "quantization_aux" in str(case.options["setup"])

    def loss(outputs: Inputs) -> tuple[jax.Array, Outputs]:
        aux = {name: outputs[name] for name in scalars}
        placed = {"quantization_aux": aux} if nested else aux
        every = {"reconstructed": outputs["reconstructed"], **placed}
        terms = model.loss_fn(batch=inputs["x"], model_outputs=every)
        return terms["total_loss"], terms

    given = {name: inputs[name] for name in ("reconstructed", *scalars)}
    (_, terms), gradients = jax.value_and_grad(loss, has_aux=True)(given)
    return {**terms} | {f"grad_{name}": array for name, array in gradients.items()}


def quantize(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """`VQVAE.quantize`, and the gradients of what it gives by encoding and codebook."""
    model = build(api, case)
    if case.options["override_codebook"]:
        model.embeddings.embedding[...] = inputs["codebook"]
    return _quantized(model, inputs["encoding"], inputs["w"])


_TERMS: dict[str, Callable[..., jax.Array]] = {
    "commitment_loss": lambda model, encoding, _: model.quantize(encoding)[1]["commitment_loss"],
    "codebook_loss": lambda model, encoding, _: model.quantize(encoding)[1]["codebook_loss"],
    "quantized": lambda model, encoding, w: jnp.sum(w * model.quantize(encoding)[0]),
}


@one_program()
def _quantized(model: Any, encoding: jax.Array, w: jax.Array) -> Outputs:
    quantized, aux = model.quantize(encoding)
    found = {"quantized": quantized} | {f"aux/{name}": value for name, value in aux.items()}
    for term, function in _TERMS.items():
        by_model, by_encoding = nnx.grad(function, argnums=(0, 1))(model, encoding, w)
        found[f"grad_{term}_codebook"] = by_model["embeddings"]["embedding"][...]
        found[f"grad_{term}_encoding"] = by_encoding
    return found
