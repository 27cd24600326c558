"""Models and their parts from a seed, as Artifex was asked for them.

Every output comes from a model as it is when new, as it was recorded.
"""

import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from golden.adapters.artifex_build import (
    Api,
    Outputs,
    build,
    compiled,
    rngs_of,
    values_of,
    with_compiled_networks,
)
from golden.adapters.expression import evaluate
from golden.case import Case

Inputs = Mapping[str, Any]


def reparameterize(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """A sample, the next one, the noise alone, and the gradients of the first."""
    mean, log_var = inputs["mean"], inputs["log_var"]
    made = build(api, case)
    model = nnx.clone(made)
    z, z_second = model.reparameterize(mean, log_var), model.reparameterize(mean, log_var)
    zeros = jnp.zeros(mean.shape)

    def total(mean: jax.Array, log_var: jax.Array) -> jax.Array:
        return jnp.sum(inputs["w"] * nnx.clone(made).reparameterize(mean, log_var))

    by_mean, by_log_var = jax.grad(total, argnums=(0, 1))(mean, log_var)
    eps = nnx.clone(made).reparameterize(zeros, zeros)
    return {
        "z": z,
        "z_second": z_second,
        "eps_check": eps,
        "grad_mean": by_mean,
        "grad_log_var": by_log_var,
    }


def component(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """An encoder or a decoder alone: its parameters, and one call in training mode."""
    call = str(case.options["call"])
    kind = call.partition("(")[0]
    of_encoder = "Encoder" in kind
    part = "EncoderConfig" if of_encoder else "DecoderConfig"
    config = getattr(api.configuration, part)(**case.options["config"])
    home = api.vae.encoders if of_encoder else api.vae.decoders
    network = compiled(getattr(home, kind)(config=config, rngs=rngs_of(case.options["rngs"])))
    found = values_of(network, nnx.Param, "params")
    found |= values_of(network, nnx.BatchStat, "batch_stats")
    given = network(inputs["x" if of_encoder else "z"])
    names = ("mean", "log_var") if of_encoder else ("reconstructed",)
    found |= dict(zip(names, given if of_encoder else (given,), strict=True))
    return found | values_of(network, nnx.BatchStat, "batch_stats_after")


def model(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """A model: its parameters, and every call that was recorded."""
    made = with_compiled_networks(build(api, case))
    found = values_of(made, nnx.Param, "params")
    found |= values_of(made, nnx.BatchStat, "batch_stats")
    x, calls = inputs["x"], case.options["calls"]
    flat = x.reshape(x.shape[0], -1)
    names = {**inputs, "batch": x.shape[0], "xf": flat}
    for heading, words in calls.items():
        if heading.startswith("loss_fn"):
            found |= _loss(api, made, str(words), inputs)
        else:
            for name, call in _calls(heading, str(words), calls):
                found |= _called(made, name, call, names)
    return found


def _calls(heading: str, words: str, calls: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names of outputs, and the calls that give them, from what a case says."""
    call = words.partition("  #")[0]
    match heading:
        case "sample, sample_second":
            once = call.partition(" twice")[0]
            return [("sample", once), ("sample_second", once)]
        case "reconstruct_*":
            return [
                ("reconstruct_deterministic", call.replace("True|False", "True")),
                ("reconstruct_stochastic", call.replace("True|False", "False")),
            ]
        case "*_unbatched":
            return [
                (
                    f"{name}_unbatched",
                    str(calls[name]).replace("[0:1]", "[0]").replace("[1:2]", "[1]"),
                )
                for name in ("interpolate", "latent_traversal")
            ]
        case "eval_interpolate":
            return [(heading, str(calls["interpolate"]).partition("  #")[0])]
        case "eval_forward":
            return [(heading, call.partition("; ")[2])]
    names, parts = heading.split(" / "), call.split(" / ")
    if parts[-1] == "same without y":
        parts[-1] = re.sub(r", y=[^)]*\)", ")", parts[0])
    return list(zip(names, parts, strict=True))


def _called(made: Any, name: str, call: str, names: Mapping[str, Any]) -> Outputs:
    """One call on a copy of a model, in evaluation mode where its name says so."""
    fresh = nnx.clone(made)
    if name.startswith("eval_"):
        fresh.eval()
    if name == "forward_bad_label":  # refused where it can be seen: it is not when compiled
        forward = nnx.jit(lambda model, x, y: model(x, y=y))
        result = forward(fresh, names["x"], names["y_bad"])
        return {f"{name}/{key}": value for key, value in result.items()}
    result = evaluate(call, {**names, "model": fresh})
    if name == "sample_second":
        result = evaluate(call, {**names, "model": fresh})
    found: Outputs = {name: result}
    if isinstance(result, tuple):
        found = dict(zip((f"{name}/mean", f"{name}/log_var"), result, strict=True))
    if isinstance(result, Mapping):
        found = {f"{name}/{key}": value for key, value in result.items()}
        found.pop(f"{name}/quantization_aux", None)
    if name == "forward":
        found |= values_of(fresh, nnx.BatchStat, "forward_batch_stats")
    return found


def _loss(api: Api, made: Any, words: str, inputs: Inputs) -> Outputs:
    """The loss of a copy of a model on its own outputs, and its gradients."""
    fresh = nnx.clone(made)
    step = re.search(r"step=(\d+)", words)
    options = {"step": int(step.group(1))} if step else {}
    forward = re.search(r"outputs = (model\([^)]*\))", words)
    call = forward.group(1) if forward else "model(x)"
    if isinstance(fresh, api.vae.VQVAE):
        fresh.reconstruction_loss_type = "bce"  # what Artifex computes; the document says mse

    def loss(model: Any) -> tuple[jax.Array, Outputs]:
        outputs = evaluate(call, {**inputs, "model": model})
        terms = model.loss_fn(batch=inputs["x"], model_outputs=outputs, **options)
        return terms["total_loss"], terms

    (_, terms), gradients = nnx.value_and_grad(loss, has_aux=True)(fresh)
    found: Outputs = {f"loss_fn/{name}": value for name, value in terms.items()}
    return found | values_of(gradients, nnx.Param, "grads")
