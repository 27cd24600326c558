"""The functional API and the core, `edifice_py`, as an implementation."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import edifice_py
from edifice_py import random
from edifice_py.activations import ACTIVATIONS
from edifice_py.core import quantize
from edifice_py.generative import vae
from golden.adapters import (
    Implementation,
    UnsupportedError,
    core_formula,
    edifice_conventions,
    edifice_vqvae,
    polaris,
)
from golden.adapters.edifice_vqvae import flat, inner
from golden.adapters.products import as_asked, products, told
from golden.arrays import Array, dtype_of
from golden.case import Case

Inputs = Mapping[str, jax.Array]
Outputs = Mapping[str, jax.Array]


def make() -> Implementation:
    """The implementation."""
    versions = {
        "edifice_py": edifice_py.__version__,
        "jax": jax.__version__,
        "platform": jax.devices()[0].platform,
        **told(),
    }
    return Implementation("edifice_py", answer, versions, products=products())


def answer(case: Case) -> Mapping[str, Array]:
    """The outputs of a case. 64-bit types are on for the cases that have them, off for others."""
    package, dot, _ = case.function.partition(".")
    answer_case = _PACKAGES.get(package) if dot else _FUNCTIONS.get(case.function)
    if answer_case is None:
        raise UnsupportedError(case.function)
    wide = dtype_of(case.options.get("dtype", "f32")) == np.float64 or any(
        array.dtype in (np.float64, np.int64, np.uint64) for array in case.inputs.values()
    )
    with jax.enable_x64(wide), as_asked():
        inputs = {name: jax.device_put(array) for name, array in case.inputs.items()}
        found = answer_case(case, inputs)
        return {name: np.asarray(value) for name, value in found.items()}


def _key(case: Case) -> jax.Array:
    return random.key(case.options["seed"])


def _random_key(case: Case, _: Inputs) -> Outputs:
    return {"key": _key(case)}


def _random_split(case: Case, _: Inputs) -> Outputs:
    parts = {name: value for name, value in case.options.items() if name != "seed"}
    return {"keys": random.split(_key(case), **parts)}


def _random_fold_in(case: Case, inputs: Inputs) -> Outputs:
    arrays = case.inputs if case.options.get("array") == "numpy" else inputs
    data = arrays["data"] if "data" in arrays else case.options["data"]
    return {"key": random.fold_in(_key(case), data)}


def _random_uniform(case: Case, _: Inputs) -> Outputs:
    return _draw(random.uniform, case)


def _random_normal(case: Case, _: Inputs) -> Outputs:
    return _draw(random.normal, case)


def _draw(function: Callable[..., tuple[jax.Array, jax.Array]], case: Case) -> Outputs:
    """What is drawn; `grad_x` is the gradient of its sum by the option x."""
    options = {name: value for name, value in case.options.items() if name != "seed"}
    draw = partial(
        function, _key(case), **options | {"dtype": dtype_of(options.get("dtype", "f32"))}
    )
    value, new_key = draw()
    found = {"value": value, "new_key": new_key}
    gradients = [output for output in case.outputs if output.startswith("grad_")]
    if not gradients:
        return found
    by = {name: options[name] for name in (output.removeprefix("grad_") for output in gradients)}
    return found | _with_gradients(lambda **given: draw(**given)[0], by, gradients)


def _reparameterize(case: Case, inputs: Inputs) -> Outputs:
    z, new_key = vae.reparameterize(inputs["mu"], inputs["log_var"], _key(case))
    return {"z": z, "new_key": new_key}


def _reparameterize_chain(case: Case, inputs: Inputs) -> Outputs:
    key, samples = _key(case), []
    for _ in range(case.options["times"]):
        z, key = vae.reparameterize(inputs["mu"], inputs["log_var"], key)
        samples.append(z)
    return {"z": jnp.stack(samples), "new_key": key}


def _kl_divergence(_: Case, inputs: Inputs) -> Outputs:
    return {"kl": vae.kl_divergence(inputs["mu"], inputs["log_var"])}


def _loss(case: Case, inputs: Inputs) -> Outputs:
    return {"loss": vae.loss(**inputs, **case.options)}


def _loss_grad(case: Case, inputs: Inputs) -> Outputs:
    beta = inner(case.options.get("beta", 1.0), inputs["mu"], inputs["log_var"])

    def loss(arrays: Inputs) -> jax.Array:
        return vae.loss(**arrays, beta=beta)

    value, gradients = jax.jit(jax.value_and_grad(loss))(dict(inputs))
    return {"loss": value} | {f"grad_{name}": array for name, array in gradients.items()}


def _elbo_grad(case: Case, inputs: Inputs) -> Outputs:
    beta = inner(case.options.get("beta", 1.0), inputs["mu"], inputs["log_var"])

    def loss(mu: jax.Array, log_var: jax.Array) -> jax.Array:
        z, _ = vae.reparameterize(mu, log_var, _key(case))
        return vae.loss(z, inputs["target"], mu, log_var, beta=beta)

    by_both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    value, gradients = by_both(inputs["mu"], inputs["log_var"])
    return {"loss": value, "grad_mu": gradients[0], "grad_log_var": gradients[1]}


def _build(case: Case, inputs: Inputs) -> Outputs:
    encoder, decoder = vae.build(**network_options(case))
    return _encoded(case, encoder, inputs) | _decoded(case, decoder, inputs)


def _build_encoder(case: Case, inputs: Inputs) -> Outputs:
    return _encoded(case, vae.build_encoder(**network_options(case)), inputs)


def _build_decoder(case: Case, inputs: Inputs) -> Outputs:
    return _decoded(case, vae.build_decoder(**network_options(case)), inputs)


def network_options(case: Case) -> dict[str, Any]:
    """The options of a case that are those of `vae.build`."""
    run = ("seed", "beta", "learning_rate", "steps")
    return {name: value for name, value in case.options.items() if name not in run}


def _encoded(case: Case, encoder: Any, inputs: Inputs) -> dict[str, jax.Array]:
    params = encoder.init(case.options["seed"])
    return flat("encoder", params) | encoder.apply(params, inputs["input"])


def _decoded(case: Case, decoder: Any, inputs: Inputs) -> dict[str, jax.Array]:
    params = decoder.init(case.options["seed"])
    return flat("decoder", params) | {"reconstruction": decoder.apply(params, inputs["latent"])}


def _activation(case: Case, inputs: Inputs) -> Outputs:
    function = ACTIVATIONS[case.options["name"]]
    return _with_gradients(lambda x: function(x), inputs, ("value", "grad_x"))


def _train(case: Case, inputs: Inputs) -> Outputs:
    encoder, decoder = vae.build(**network_options(case))
    optimizer = polaris.adam(case.options["learning_rate"])

    def loss(params: Any, x: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        posterior = encoder.apply(params["encoder"], x)
        z, new_key = vae.reparameterize(posterior["mu"], posterior["log_var"], key)
        reconstruction = decoder.apply(params["decoder"], z)
        beta = case.options.get("beta", 1.0)
        return vae.loss(
            reconstruction, x, posterior["mu"], posterior["log_var"], beta=beta
        ), new_key

    def step(carry: Any, x: jax.Array) -> tuple[Any, jax.Array]:
        params, state, key = carry
        (value, key), gradients = jax.value_and_grad(loss, has_aux=True)(params, x, key)
        updates, state = optimizer.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state, key), value

    seed = case.options["seed"]
    params = {"encoder": encoder.init(seed), "decoder": decoder.init(seed)}
    start = params, optimizer.init(params), _key(case)
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its step count
        (params, _, key), losses = jax.lax.scan(step, start, inputs["batches"])
    final = flat("final/encoder", params["encoder"]) | flat("final/decoder", params["decoder"])
    return {"losses": losses, "new_key": key} | final


def _core(case: Case, inputs: Inputs) -> Outputs:
    """`core.module.function`, called by name; `grad_x` is the gradient of the sum of its value."""
    formula = core_formula("edifice_py.core", case.function)
    if case.function in _OF_A_CODEBOOK:
        return _codebook(formula, case, inputs)
    options = {name: tuple(v) if isinstance(v, list) else v for name, v in case.options.items()}
    return _with_gradients(partial(formula, **options), inputs, case.outputs)


def _with_gradients(
    function: Callable[..., jax.Array], inputs: Mapping[str, Any], outputs: Iterable[str]
) -> dict[str, jax.Array]:
    """What a function gives, `value`, and gradients of its sum, `grad_x` by its argument x.

    All in one program: alone, each operation of a gradient is one of its own.
    """

    def found(arrays: Inputs) -> dict[str, jax.Array]:
        def total(by: str, array: jax.Array) -> jax.Array:
            return jnp.sum(function(**{**arrays, by: array}))

        values = {}
        for output in outputs:
            if output == "value":
                values[output] = function(**arrays)
            else:
                by = output.removeprefix("grad_")
                values[output] = jax.grad(partial(total, by))(arrays[by])
        return values

    return jax.jit(found)(dict(inputs))


_OF_A_CODEBOOK = ("core.quantize.ema_update", "core.quantize.replace_dead_codes")


def _codebook(formula: Callable[..., Any], case: Case, inputs: Inputs) -> Outputs:
    """A formula that takes and gives the state of a moving codebook."""
    state = quantize.MovingCodebook(
        inputs["usage"], inputs["total"], inputs.get("codebook", jnp.zeros_like(inputs["total"]))
    )
    others = {name: array for name, array in inputs.items() if name not in state._fields}
    updated: dict[str, jax.Array] = formula(state, **others, **case.options)._asdict()
    return updated


_PACKAGES: dict[str, Callable[[Case, Inputs], Outputs]] = {
    "core": _core,
    "convention": edifice_conventions.answer,
}
_FUNCTIONS: dict[str, Callable[[Case, Inputs], Outputs]] = {
    "random_key": _random_key,
    "random_split": _random_split,
    "random_fold_in": _random_fold_in,
    "random_uniform": _random_uniform,
    "random_normal": _random_normal,
    "reparameterize": _reparameterize,
    "reparameterize_chain": _reparameterize_chain,
    "kl_divergence": _kl_divergence,
    "loss": _loss,
    "loss_grad": _loss_grad,
    "elbo_grad": _elbo_grad,
    "build": _build,
    "build_encoder": _build_encoder,
    "build_decoder": _build_decoder,
    "train": _train,
    "activation": _activation,
    "optimizer": polaris.answer,
    **edifice_vqvae.FUNCTIONS,
}
