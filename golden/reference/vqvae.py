"""Edifice's VQ-VAE in float64: quantization, its losses and their gradients, and a training run.

Each function takes the options and arrays of a case, and gives its outputs. Distances are rounded
as Nx rounds them, since that decides which code is the nearest far from the origin.

Reference: van den Oord et al. (2017); Edifice.Generative.VQVAE, Edifice 0.2.0 on Nx 0.10.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from golden.arrays import DTYPES, Array
from golden.reference import network, random, training, vqvae_errors

Options = Mapping[str, Any]
Arrays = Mapping[str, Array]
Outputs = dict[str, Any]


def build(options: Options, arrays: Arrays) -> Outputs:
    """Kernels and outputs of the encoder, the decoder, or both: those that have an input."""
    found: Outputs = {}
    if "input" in arrays:
        encoder = _encoder(options)
        found |= encoder.init(options["seed"])
        (found["z_e"],), _ = encoder.forward(found, _wide(arrays["input"]))
    if "quantized" in arrays:
        decoder = _decoder(options)
        found |= decoder.init(options["seed"])
        (found["reconstruction"],), _ = decoder.forward(found, _wide(arrays["quantized"]))
    return found


def init_codebook(options: Options, _: Arrays) -> Outputs:
    """Standard normal numbers; the seed is 42 where there is none."""
    shape = options["num_embeddings"], options["embedding_dim"]
    key = random.key(options.get("seed", 42))
    return {"codebook": random.normal(key, shape, np.dtype(np.float32))[0]}


def quantize(_: Options, arrays: Arrays) -> Outputs:
    """The nearest codes (equation 1), with the gradient of the encodings (section 3.2)."""
    z_e, codebook = np.atleast_2d(arrays["z_e"]), arrays["codebook"]
    indices = _nearest(z_e, codebook)
    if z_e.dtype.kind in "iu" and codebook.dtype.kind in "iu":
        joint = np.promote_types(z_e.dtype, codebook.dtype)
        return {"z_q": codebook[indices].astype(joint), "indices": indices}
    kind, start = _joint(z_e, codebook), _wide(z_e)
    with np.errstate(all="ignore"):
        moved = _rounded(_wide(codebook)[indices] - start, kind)
        return {"z_q": _rounded(start + moved, kind), "indices": indices}


def quantize_grad(options: Options, arrays: Arrays) -> Outputs:
    """Of the sum of z_q times a cotangent: the cotangent, and nothing for the codebook."""
    cotangent = _wide(arrays["cotangent"])
    return {
        "value": (_wide(quantize(options, arrays)["z_q"]) * cotangent).sum(),
        "grad_z_e": cotangent,
        "grad_codebook": np.zeros(arrays["codebook"].shape),
    }


def squared(_: Options, arrays: Arrays) -> Outputs:
    """The mean square of z_e - z_q, of both losses: integers wrap as their type does."""
    with np.errstate(over="ignore"):
        return {"loss": _mean_square(arrays["z_e"], arrays["z_q"])}


def commitment_loss_grad(options: Options, arrays: Arrays) -> Outputs:
    """2 (z_e - z_q) / N for z_e; 0 for z_q."""
    by_z_e, _ = _by_both(arrays["z_e"], arrays["z_q"])
    return squared(options, arrays) | {
        "grad_z_e": by_z_e,
        "grad_z_q": np.zeros(arrays["z_q"].shape),
    }


def codebook_loss_grad(options: Options, arrays: Arrays) -> Outputs:
    """2 (z_q - z_e) / N for z_q; 0 for z_e."""
    _, by_z_q = _by_both(arrays["z_e"], arrays["z_q"])
    return squared(options, arrays) | {
        "grad_z_e": np.zeros(arrays["z_e"].shape),
        "grad_z_q": by_z_q,
    }


def loss(options: Options, arrays: Arrays) -> Outputs:
    """Equation 3 with means; Nx reads the weight as a float32."""
    weight = arrays.get("commitment_weight", training.f32(_weight(options)))
    return {"loss": _loss(arrays, _wide(weight))}


def loss_grad(options: Options, arrays: Arrays) -> Outputs:
    """Its gradients; inside a gradient the weight has the type of the commitment loss."""
    z_e, z_q = arrays["z_e"], arrays["z_q"]
    weight = _inner_weight(options, z_e, z_q)
    by_output, by_target = _by_both(arrays["reconstruction"], arrays["target"])
    by_z_e, by_z_q = _by_both(z_e, z_q)
    return {
        "loss": _loss(arrays, weight),
        "grad_reconstruction": by_output,
        "grad_target": by_target,
        "grad_z_e": weight * by_z_e,
        "grad_z_q": by_z_q,
    }


def objective_grad(options: Options, arrays: Arrays) -> Outputs:
    """Of the loss whose reconstruction is z_q itself, by the encodings and the codebook."""
    found = quantize(options, arrays)
    z_e, codebook = _wide(arrays["z_e"]), _wide(arrays["codebook"])
    weight = _inner_weight(options, arrays["z_e"], arrays["codebook"])
    by_output, _ = _by_both(found["z_q"], arrays["target"])
    terms = {"reconstruction": found["z_q"], "target": arrays["target"], "z_e": z_e}
    by_z_e, by_codebook = _quantized_gradients(
        options, weight, z_e, codebook, found["indices"], by_output
    )
    return {
        "loss": _loss(terms | {"z_q": codebook[found["indices"]]}, weight),
        "indices": found["indices"],
        "grad_z_e": by_z_e,
        "grad_codebook": by_codebook,
    }


def train(options: Options, arrays: Arrays) -> Outputs:
    """One Adam step a batch of encoder, decoder and codebook together."""
    encoder, decoder = _encoder(options), _decoder(options)
    params = encoder.init(options["seed"]) | decoder.init(options["seed"])
    params |= init_codebook(options, {})
    adam = training.Adam(params, options["learning_rate"])
    weight = training.f32(_weight(options))
    losses, chosen = [], []
    for x in _wide(arrays["batches"]):
        (z_e,), encoder_before = encoder.forward(params, x)
        codebook = params["codebook"]
        indices = _nearest(z_e, codebook)
        (output,), decoder_before = decoder.forward(params, codebook[indices])
        terms = {"reconstruction": output, "target": x, "z_e": z_e, "z_q": codebook[indices]}
        losses.append(_loss(terms, weight))
        chosen.append(indices)
        by_output, _ = _by_both(output, x)
        gradients, by_z_q = decoder.backward(params, decoder_before, [by_output])
        by_z_e, by_codebook = _quantized_gradients(options, weight, z_e, codebook, indices, by_z_q)
        gradients |= encoder.backward(params, encoder_before, [by_z_e])[0]
        params = adam.step(params, gradients | {"codebook": by_codebook})
    final = {f"final/{path}": value for path, value in params.items()}
    return {"losses": np.array(losses), "indices": np.stack(chosen), **final}


FUNCTIONS: Mapping[str, Callable[[Options, Arrays], Outputs]] = {
    "vqvae_build": build,
    "vqvae_build_encoder": build,
    "vqvae_build_decoder": build,
    "vqvae_init_codebook": init_codebook,
    "vqvae_quantize": quantize,
    "vqvae_quantize_grad": quantize_grad,
    "vqvae_commitment_loss": squared,
    "vqvae_commitment_loss_grad": commitment_loss_grad,
    "vqvae_codebook_loss": squared,
    "vqvae_codebook_loss_grad": codebook_loss_grad,
    "vqvae_loss": loss,
    "vqvae_loss_grad": loss_grad,
    "vqvae_objective_grad": objective_grad,
    "vqvae_train": train,
    "vqvae_error": vqvae_errors.error,
}
"""By the function of a case."""


def _encoder(options: Options) -> network.Network:
    return network.encoder(options, ("encoder_to_embedding",), options.get("embedding_dim", 64))


def _decoder(options: Options) -> network.Network:
    return network.decoder(options, options.get("embedding_dim", 64))


def _wide(array: Any) -> Array:
    return np.asarray(array, np.float64)


def _joint(*arrays: Array) -> np.dtype[Any]:
    """The float type of several together: float16 and bfloat16 are float16, integers float32."""
    kinds = [np.dtype(np.float32) if a.dtype.kind in "iu" else a.dtype for a in arrays]
    if len(set(kinds)) > 1 and all(kind.itemsize == 2 for kind in kinds):
        return np.dtype(np.float16)
    return max(kinds, key=lambda kind: kind.itemsize)


def _rounded(array: Array, kind: np.dtype[Any]) -> Array:
    return array.astype(kind).astype(np.float64)


def _nearest(z_e: Array, codebook: Array) -> Array:
    """The first index of the least distance; the last of those that are NaN, which win.

    A distance is (|e|^2 - 2 e c) + |c|^2: squares rounded to their type, sums accumulated in
    float64 and rounded once, and each of the three operations rounded.
    """
    kind = _joint(z_e, codebook)
    with np.errstate(all="ignore"):
        distances = _rounded(_squares(z_e)[..., None] - 2 * _products(z_e, codebook, kind), kind)
        distances = _rounded(distances + _squares(codebook), kind)
    not_numbers = np.isnan(distances)
    last = len(codebook) - 1 - np.argmax(not_numbers[..., ::-1], axis=-1)
    nearest = np.argmin(np.where(not_numbers, np.inf, distances), axis=-1)
    return np.where(not_numbers.any(axis=-1), last, nearest).astype(np.int32)


def _squares(v: Array) -> Array:
    if v.dtype.kind in "iu":
        return _wide((v * v).sum(axis=-1))
    return _rounded(_rounded(_wide(v) ** 2, v.dtype).sum(axis=-1), v.dtype)


def _products(z_e: Array, codebook: Array, kind: np.dtype[Any]) -> Array:
    if z_e.dtype.kind in "iu":
        return _wide(z_e @ codebook.T)
    return _rounded(_wide(z_e) @ _wide(codebook).T, kind)


def _mean_square(a: Array, b: Array) -> Array:
    if a.dtype.kind not in "iu" or b.dtype.kind not in "iu":
        a, b = _wide(a), _wide(b)
    difference = a - b
    return np.asarray(np.mean(_wide(difference * difference)))


def _by_both(a: Array, b: Array) -> tuple[Array, Array]:
    """Gradients of the mean square of a - b, each in the shape of what it is by."""
    difference = _wide(a) - _wide(b)
    scaled = 2 * difference / difference.size
    return _in_shape(scaled, a.shape), _in_shape(-scaled, b.shape)


def _in_shape(gradient: Array, shape: tuple[int, ...]) -> Array:
    """A gradient summed over what was broadcast."""
    summed = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    broadcast = tuple(axis for axis, size in enumerate(shape) if size != summed.shape[axis])
    return summed.sum(axis=broadcast, keepdims=True)


def _weight(options: Options) -> float:
    return float(options.get("commitment_weight", 0.25))


def _inner_weight(options: Options, *arrays: Array) -> float:
    weight = _weight(options)
    return weight if any(a.dtype == DTYPES["f64"] for a in arrays) else training.f32(weight)


def _loss(arrays: Arrays, weight: Any) -> Array:
    of_codes = _mean_square(arrays["z_e"], arrays["z_q"])
    return _mean_square(arrays["reconstruction"], arrays["target"]) + of_codes + weight * of_codes


def _quantized_gradients(
    options: Options, weight: float, z_e: Array, codebook: Array, indices: Array, by_z_q: Array
) -> tuple[Array, Array]:
    """By the encodings and the codebook, from the gradient that the decoder gives to z_q."""
    by_z_e, by_codes = _by_both(z_e, codebook[indices])
    if options["z_q"] == "gathered":
        one_hot = np.eye(len(codebook))[indices]
        return by_z_q + weight * by_z_e, one_hot.T @ by_codes
    # Straight through: the codebook loss, too, moves the encodings.
    return by_z_q + by_codes + weight * by_z_e, np.zeros_like(codebook)
