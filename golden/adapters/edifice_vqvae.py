"""Edifice's VQ-VAE by `edifice_py.generative.vqvae`: what each function of the cases is there."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from edifice_py import nx, random
from edifice_py.axon import Model, Params
from edifice_py.generative import vqvae
from golden.adapters import polaris
from golden.case import Case

Inputs = Mapping[str, jax.Array]
Outputs = Mapping[str, Any]


def flat(prefix: str, params: Params) -> dict[str, jax.Array]:
    """Arrays of a network by `prefix/layer/name`."""
    return {
        f"{prefix}/{layer}/{name}": array
        for layer, arrays in params.items()
        for name, array in arrays.items()
    }


def inner(number: float, *beside: jax.Array) -> np.ndarray:
    """A number as Nx takes it inside a gradient: of the type of what it multiplies."""
    return np.asarray(number, nx.float_type(*beside))


def _build(case: Case, inputs: Inputs) -> Outputs:
    encoder, decoder = vqvae.build(**_network(case))
    return _encoded(case, encoder, inputs) | _decoded(case, decoder, inputs)


def _build_encoder(case: Case, inputs: Inputs) -> Outputs:
    return _encoded(case, vqvae.build_encoder(**_network(case)), inputs)


def _build_decoder(case: Case, inputs: Inputs) -> Outputs:
    return _decoded(case, vqvae.build_decoder(**_network(case)), inputs)


def _network(case: Case) -> dict[str, Any]:
    run = ("seed", "z_q", "commitment_weight", "learning_rate", "steps")
    return {name: value for name, value in case.options.items() if name not in run}


def _encoded(case: Case, encoder: Model, inputs: Inputs) -> dict[str, jax.Array]:
    params = encoder.init(case.options["seed"])
    return flat("encoder", params) | {"z_e": encoder.apply(params, inputs["input"])}


def _decoded(case: Case, decoder: Model, inputs: Inputs) -> dict[str, jax.Array]:
    params = decoder.init(case.options["seed"])
    output = decoder.apply(params, inputs["quantized"])
    return flat("decoder", params) | {"reconstruction": output}


def _init_codebook(case: Case, _: Inputs) -> Outputs:
    sizes = case.options["num_embeddings"], case.options["embedding_dim"]
    if "seed" not in case.options:
        return {"codebook": vqvae.init_codebook(*sizes)}
    return {"codebook": vqvae.init_codebook(*sizes, random.key(case.options["seed"]))}


def _quantize(_: Case, inputs: Inputs) -> Outputs:
    z_q, indices = vqvae.quantize(**inputs)
    return {"z_q": z_q, "indices": indices}


def _quantize_grad(_: Case, inputs: Inputs) -> Outputs:
    arrays = dict(inputs)
    cotangent = arrays.pop("cotangent")

    def value(arrays: Inputs) -> jax.Array:
        z_q, _ = vqvae.quantize(**arrays)
        return jnp.sum(z_q * cotangent)

    return _with_gradients("value", value, arrays)


def _with_gradients(
    name: str, function: Callable[[Inputs], jax.Array], arrays: Inputs
) -> dict[str, jax.Array]:
    value, gradients = jax.jit(jax.value_and_grad(function))(dict(arrays))
    return {name: value} | {f"grad_{by}": array for by, array in gradients.items()}


def _of_pair(function: Callable[..., jax.Array]) -> Callable[[Case, Inputs], Outputs]:
    return lambda _, inputs: {"loss": function(**inputs)}


def _grad_of_pair(function: Callable[..., jax.Array]) -> Callable[[Case, Inputs], Outputs]:
    return lambda _, inputs: _with_gradients("loss", lambda arrays: function(**arrays), inputs)


def _loss(case: Case, inputs: Inputs) -> Outputs:
    return {"loss": vqvae.loss(**inputs, **case.options)}


def _loss_grad(case: Case, inputs: Inputs) -> Outputs:
    weight = _weight(case, inputs["z_e"], inputs["z_q"])
    return _with_gradients(
        "loss", lambda arrays: vqvae.loss(**arrays, commitment_weight=weight), inputs
    )


def _weight(case: Case, *beside: jax.Array) -> np.ndarray:
    return inner(case.options.get("commitment_weight", 0.25), *beside)


def _codes(case: Case, z_q: jax.Array, codebook: jax.Array, indices: jax.Array) -> jax.Array:
    """What goes into the losses: what `quantize` gives, or the form that a codebook learns from."""
    return codebook[indices] if case.options["z_q"] == "gathered" else z_q


def _objective_grad(case: Case, inputs: Inputs) -> Outputs:
    weight, target = _weight(case, inputs["z_e"], inputs["codebook"]), inputs["target"]

    def loss(z_e: jax.Array, codebook: jax.Array) -> tuple[jax.Array, jax.Array]:
        z_q, indices = vqvae.quantize(z_e, codebook)
        codes = _codes(case, z_q, codebook, indices)
        return vqvae.loss(z_q, target, z_e, codes, commitment_weight=weight), indices

    differentiate = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))
    (value, indices), (by_z_e, by_codebook) = differentiate(inputs["z_e"], inputs["codebook"])
    return {"loss": value, "indices": indices, "grad_z_e": by_z_e, "grad_codebook": by_codebook}


def _train(case: Case, inputs: Inputs) -> Outputs:
    options = case.options
    encoder, decoder = vqvae.build(**_network(case))
    optimizer = polaris.adam(options["learning_rate"])
    weight = options.get("commitment_weight", 0.25)

    def loss(params: Any, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        z_e = encoder.apply(params["encoder"], x)
        z_q, indices = vqvae.quantize(z_e, params["codebook"])
        output = decoder.apply(params["decoder"], z_q)
        codes = _codes(case, z_q, params["codebook"], indices)
        return vqvae.loss(output, x, z_e, codes, commitment_weight=weight), indices

    def step(carry: Any, x: jax.Array) -> tuple[Any, Any]:
        params, state = carry
        (value, indices), gradients = jax.value_and_grad(loss, has_aux=True)(params, x)
        updates, state = optimizer.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), (value, indices)

    seed = options["seed"]
    codebook = vqvae.init_codebook(
        options["num_embeddings"], options["embedding_dim"], random.key(seed)
    )
    params: dict[str, Any] = {
        "encoder": encoder.init(seed),
        "decoder": decoder.init(seed),
        "codebook": codebook,
    }
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its step count
        start = params, optimizer.init(params)
        (params, _), (losses, indices) = jax.lax.scan(step, start, inputs["batches"])
    final = flat("final/encoder", params["encoder"]) | flat("final/decoder", params["decoder"])
    return {"losses": losses, "indices": indices, "final/codebook": params["codebook"]} | final


def _error(case: Case, inputs: Inputs) -> Outputs:
    """Whether a call raises."""
    options = dict(case.options)
    call, seed = options.pop("call"), options.pop("seed", 0)
    try:
        if call == "apply_encoder":
            encoder = vqvae.build_encoder(**options)
            encoder.apply(encoder.init(seed), inputs["input"])
        elif call == "init_codebook":
            vqvae.init_codebook(**options, key=random.key(seed))
        else:
            getattr(vqvae, call)(**inputs, **options)
    except (KeyError, TypeError, ValueError):
        return {"raised": np.uint8(1)}
    return {"raised": np.uint8(0)}


FUNCTIONS: Mapping[str, Callable[[Case, Inputs], Outputs]] = {
    "vqvae_build": _build,
    "vqvae_build_encoder": _build_encoder,
    "vqvae_build_decoder": _build_decoder,
    "vqvae_init_codebook": _init_codebook,
    "vqvae_quantize": _quantize,
    "vqvae_quantize_grad": _quantize_grad,
    "vqvae_commitment_loss": _of_pair(vqvae.commitment_loss),
    "vqvae_commitment_loss_grad": _grad_of_pair(vqvae.commitment_loss),
    "vqvae_codebook_loss": _of_pair(vqvae.codebook_loss),
    "vqvae_codebook_loss_grad": _grad_of_pair(vqvae.codebook_loss),
    "vqvae_loss": _loss,
    "vqvae_loss_grad": _loss_grad,
    "vqvae_objective_grad": _objective_grad,
    "vqvae_train": _train,
    "vqvae_error": _error,
}
"""By the function of a case."""
