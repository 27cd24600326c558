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
    one_program,
    rngs_of,
    values_of,
)
from golden.adapters.expression import evaluate
from golden.case import Case

Inputs = Mapping[str, Any]


def reparameterize(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """A sample, the next one, the noise alone, and the gradients of the first."""
    return _reparameterized(build(api, case), inputs["mean"], inputs["log_var"], inputs["w"])


@one_program()
def _reparameterized(made: Any, mean: jax.Array, log_var: jax.Array, w: jax.Array) -> Outputs:
    model = nnx.clone(made)
    z, z_second = model.reparameterize(mean, log_var), model.reparameterize(mean, log_var)
    zeros = jnp.zeros(mean.shape)

    def total(mean: jax.Array, log_var: jax.Array) -> jax.Array:
        return jnp.sum(w * nnx.clone(made).reparameterize(mean, log_var))

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
    network = getattr(home, kind)(config=config, rngs=rngs_of(case.options["rngs"]))
    found = values_of(network, nnx.Param, "params")
    found |= values_of(network, nnx.BatchStat, "batch_stats")
    given = _called_once(network, inputs["x" if of_encoder else "z"])
    names = ("mean", "log_var") if of_encoder else ("reconstructed",)
    found |= dict(zip(names, given if of_encoder else (given,), strict=True))
    return found | values_of(network, nnx.BatchStat, "batch_stats_after")


@one_program()
def _called_once(network: Any, array: jax.Array) -> Any:
    return network(array)


def model(api: Api, case: Case, inputs: Inputs) -> Outputs:
    """A model: its parameters, and every call that was recorded."""
    made = build(api, case)
    if isinstance(made, api.vae.VQVAE):
        made.reconstruction_loss_type = "bce"  # what Artifex computes; the document says mse
    found = values_of(made, nnx.Param, "params")
    found |= values_of(made, nnx.BatchStat, "batch_stats")
    calls = case.options["calls"]
    asked = [call for heading, words in calls.items() for call in _calls(heading, words, calls)]
    return found | _answers(made, dict(inputs), calls=tuple(asked))


@one_program("calls")
def _answers(made: Any, inputs: Any, calls: Any) -> Outputs:
    """What a model answers to every call: one program, and one for all who ask for the same."""
    x = inputs["x"]
    found: Outputs = {}
    names = {**inputs, "batch": x.shape[0], "xf": x.reshape(x.shape[0], -1)}
    for name, call in calls:
        found |= _loss(made, call, names) if name == "loss_fn" else _called(made, name, call, names)
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
        case "loss_fn/*, grads/*":
            outputs = words.partition("outputs = ")[2].partition(" inside")[0]
            step = "".join(re.findall(r", step=\d+", words))
            return [("loss_fn", f"model.loss_fn(batch=x, model_outputs={outputs}{step})")]
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


def _loss(made: Any, call: str, names: Mapping[str, Any]) -> Outputs:
    """The loss of a copy of a model on its own outputs, and its gradients."""

    def loss(model: Any) -> tuple[jax.Array, Outputs]:
        terms = evaluate(call, {**names, "model": model})
        return terms["total_loss"], terms

    (_, terms), gradients = nnx.value_and_grad(loss, has_aux=True)(nnx.clone(made))
    found: Outputs = {f"loss_fn/{name}": value for name, value in terms.items()}
    return found | values_of(gradients, nnx.Param, "grads")
