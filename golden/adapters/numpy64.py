"""The float64 reference, `golden.reference`: the formulas themselves, as an implementation."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy

from golden.adapters import Implementation, UnsupportedError, core_formula
from golden.arrays import Array, dtype_of
from golden.case import Case
from golden.reference import activations, gaussian, optimizers, random, training, vqvae

Inputs = Mapping[str, Array]
Outputs = Mapping[str, Any]


def make() -> Implementation:
    """The implementation."""
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    return Implementation("numpy64", answer, versions, wide=True)


def answer(case: Case) -> Mapping[str, Array]:
    """The outputs of a case, floats in float64."""
    wide = {name: _widen(array) for name, array in case.inputs.items()}
    if case.function in _FUNCTIONS:
        found = _FUNCTIONS[case.function](case, wide)
    elif case.function.startswith("core."):
        found = _core(case, wide)
    else:
        raise UnsupportedError(case.function)
    return {name: np.asarray(value) for name, value in found.items()}


def _widen(array: Array) -> Array:
    return array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)


def _uniform(case: Case, _: Inputs) -> Outputs:
    key, options = random.key(case.options["seed"]), case.options
    ends = options.get("minval", 0.0), options.get("maxval", 1.0)
    value, new_key = random.uniform(key, *_drawn(options), *ends)
    return {"value": value, "new_key": new_key} | _no_gradients(case)


def _normal(case: Case, _: Inputs) -> Outputs:
    key, options = random.key(case.options["seed"]), case.options
    moments = options.get("mean", 0.0), options.get("standard_deviation", 1.0)
    value, new_key = random.normal(key, *_drawn(options), *moments)
    return {"value": value, "new_key": new_key} | _no_gradients(case)


def _no_gradients(case: Case) -> dict[str, Any]:
    """0 for each gradient that a case asks for: none flows through what is drawn."""
    return {output: 0.0 for output in case.outputs if output.startswith("grad_")}


def _drawn(options: Mapping[str, Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    return tuple(options.get("shape", ())), dtype_of(options.get("dtype", "f32"))


def _reparameterize(case: Case, inputs: Inputs) -> Outputs:
    mu, log_var = inputs["mu"], inputs["log_var"]
    drawn = case.inputs["mu"].dtype if mu.dtype == np.float64 else np.dtype(np.float32)
    key = random.key(case.options["seed"])
    samples = []
    for _ in range(case.options.get("times", 1)):
        noise, key = random.normal(key, mu.shape, drawn)
        samples.append(gaussian.reparameterize(mu, log_var, noise.astype(np.float64)))
    chained = "times" in case.options
    return {"z": np.stack(samples) if chained else samples[0], "new_key": key}


def _loss(case: Case, inputs: Inputs) -> Outputs:
    beta = training.f32(case.options.get("beta", 1.0))
    return {"loss": _edifice_loss(beta, inputs["reconstruction"], inputs)}


def _loss_grad(case: Case, inputs: Inputs) -> Outputs:
    output, target = inputs["reconstruction"], inputs["target"]
    beta = _inner_beta(case)
    by_mu, by_log_var = training.kl_gradients(inputs["mu"], inputs["log_var"], beta)
    return {
        "loss": _edifice_loss(beta, output, inputs),
        "grad_reconstruction": 2 * (output - target) / target.size,
        "grad_mu": by_mu,
        "grad_log_var": by_log_var,
    }


def _elbo_grad(case: Case, inputs: Inputs) -> Outputs:
    z, beta = _reparameterize(case, inputs)["z"], _inner_beta(case)
    by_mu, by_log_var = training.posterior_gradients(
        inputs["mu"], inputs["log_var"], z, 2 * (z - inputs["target"]) / z.size, beta
    )
    return {"loss": _edifice_loss(beta, z, inputs), "grad_mu": by_mu, "grad_log_var": by_log_var}


def _edifice_loss(beta: float, output: Array, inputs: Inputs) -> Array:
    return training.loss(output, inputs["target"], inputs["mu"], inputs["log_var"], beta)


def _inner_beta(case: Case) -> float:
    """Beta inside a gradient: of the type of the posterior, where it is a float32 elsewhere."""
    beta = float(case.options.get("beta", 1.0))
    wide = any(case.inputs[name].dtype == np.float64 for name in ("mu", "log_var"))
    return beta if wide else training.f32(beta)


def _network_case(case: Case, inputs: Inputs) -> Outputs:
    found: dict[str, Array] = {}
    if "input" in inputs:
        encoder = training.encoder_of(case.options)
        found |= encoder.init(case.options["seed"])
        (found["mu"], found["log_var"]), _ = encoder.forward(found, inputs["input"])
    if "latent" in inputs:
        decoder = training.decoder_of(case.options)
        found |= decoder.init(case.options["seed"])
        (found["reconstruction"],), _ = decoder.forward(found, inputs["latent"])
    return found


def _key_case(case: Case, _: Inputs) -> Outputs:
    return {"key": random.key(case.options["seed"])}


def _split(case: Case, _: Inputs) -> Outputs:
    return {"keys": random.split(random.key(case.options["seed"]), case.options.get("parts", 2))}


def _fold_in(case: Case, inputs: Inputs) -> Outputs:
    key = random.key(case.options["seed"])
    if "data" not in inputs:
        return {"key": random.fold_in(key, random.as_plain(case.options["data"]))}
    each = [random.fold_in(key, int(number)) for number in inputs["data"].ravel()]
    return {"key": np.stack(each).reshape(*inputs["data"].shape, 2)}


def _kl_divergence(_: Case, inputs: Inputs) -> Outputs:
    return {"kl": gaussian.kl_divergence(inputs["mu"], inputs["log_var"])}


def _activation(case: Case, inputs: Inputs) -> Outputs:
    name, x = case.options["name"], inputs["x"]
    value = activations.apply(name, x)
    return {"value": value, "grad_x": activations.pull_back(name, x, np.ones_like(value))}


def _train(case: Case, inputs: Inputs) -> Outputs:
    return training.run(case.options, inputs["batches"])


def _optimizer(case: Case, inputs: Inputs) -> Outputs:
    return {"params": optimizers.run(case.options, inputs["params"], inputs["gradients"])}


def _vqvae(case: Case, _: Inputs) -> Outputs:
    """A function that rounds as the types of its arrays say."""
    return vqvae.FUNCTIONS[case.function](case.options, case.inputs)


def _core(case: Case, inputs: Inputs) -> Outputs:
    """`core.module.function`: a formula by its name, `grad_x` outputs by their own formulas."""
    if case.function in ("core.quantize.ema_update", "core.quantize.replace_dead_codes"):
        formula = core_formula("golden.reference", case.function)
        state: Outputs = formula(**inputs, **case.options)
        return state
    found = {}
    for output in case.outputs:
        name = case.function if output == "value" else f"{case.function}_{output}"
        found[output] = core_formula("golden.reference", name)(**inputs, **case.options)
    return found


_FUNCTIONS: dict[str, Callable[[Case, Inputs], Outputs]] = {
    "random_key": _key_case,
    "random_split": _split,
    "random_fold_in": _fold_in,
    "random_uniform": _uniform,
    "random_normal": _normal,
    "reparameterize": _reparameterize,
    "reparameterize_chain": _reparameterize,
    "kl_divergence": _kl_divergence,
    "loss": _loss,
    "loss_grad": _loss_grad,
    "elbo_grad": _elbo_grad,
    "build": _network_case,
    "build_encoder": _network_case,
    "build_decoder": _network_case,
    "train": _train,
    "activation": _activation,
    "optimizer": _optimizer,
    **dict.fromkeys(vqvae.FUNCTIONS, _vqvae),
}
