"""Weights between the two APIs: an `edifice_py` pair of models, and a dense VAE of Flax NNX.

The two are one network when the NNX model is dense, has no normalisation and no dropout, an
activation that Axon and Flax compute alike, and a linear output, which
`MLPDecoder(..., output_activation="linear")` gives: Edifice's decoder ends without an activation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from artifex_compat.generative_models.models.vae.base import VAE
from artifex_compat.generative_models.models.vae.decoders import MLPDecoder
from artifex_compat.generative_models.models.vae.encoders import MLPEncoder
from edifice_py.checks import array

SHARED_ACTIVATIONS = (
    "celu",
    "elu",
    "hard_tanh",
    "leaky_relu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "tanh",
)
"""Activations that are the same function in Axon and in Flax; `gelu` is not."""

Params = dict[str, dict[str, jax.Array]]


def load_edifice_params(model: VAE, encoder: Mapping[str, Any], decoder: Mapping[str, Any]) -> None:
    """Put the weights of an `edifice_py` pair into a model, in place.

    Args:
        model: a dense model as the module describes.
        encoder: parameters of the encoder, as from `edifice_py.axon.Model.init`.
        decoder: parameters of the decoder.

    Raises:
        ValueError: the model is another network than Edifice's, or a shape does not fit; nothing
            has been changed then.
        KeyError: a layer is missing.
        TypeError: a parameter is no array of numbers.
    """
    wanted = [*_encoder_layers(model), *_decoder_layers(model)]
    given = {**encoder, **decoder}
    unknown = given.keys() - {name for name, _ in wanted}
    if unknown:
        raise ValueError(
            f"the model has no layer {sorted(unknown)[0]!r}; its layers are "
            f"{', '.join(name for name, _ in wanted)}."
        )
    found = [
        (variable, _parameter(given, layer, name, variable))
        for layer, linear in wanted
        for name, variable in (("kernel", linear.kernel), ("bias", linear.bias))
    ]
    for variable, value in found:
        variable[...] = value


def edifice_params(model: VAE) -> tuple[Params, Params]:
    """The weights of a model as parameters of an `edifice_py` encoder and decoder.

    Args:
        model: a dense model as the module describes.

    Returns:
        Parameters of both, for `edifice_py.axon.Model.apply`.

    Raises:
        ValueError: the model is another network than Edifice's.
    """
    encoder, decoder = (
        {name: {"kernel": linear.kernel[...], "bias": linear.bias[...]} for name, linear in layers}
        for layers in (_encoder_layers(model), _decoder_layers(model))
    )
    return encoder, decoder


def _encoder_layers(model: VAE) -> Iterator[tuple[str, Any]]:
    encoder = _same_network("encoder", model.encoder, MLPEncoder)
    for index, layer in enumerate(encoder.backbone.layers):
        yield f"encoder_dense_{index}", layer
    yield "mu", encoder.mean_proj
    yield "log_var", encoder.logvar_proj


def _decoder_layers(model: VAE) -> Iterator[tuple[str, Any]]:
    decoder = _same_network("decoder", model.decoder, MLPDecoder)
    if decoder.spec.output_activation not in ("linear", "identity"):
        raise ValueError(
            "decoder must end without an activation to be Edifice's: make it with "
            f"output_activation='linear', not {decoder.spec.output_activation!r}."
        )
    for index, layer in enumerate(decoder.backbone.layers):
        yield f"decoder_dense_{index}", layer
    yield "decoder_output", decoder.output_layer


def _same_network(name: str, network: Any, kind: type[Any]) -> Any:
    """A network, which must compute what Edifice's does."""
    if type(network) is not kind:
        raise ValueError(
            f"{name} must be an {kind.__name__} to be Edifice's, not a {type(network).__name__}."
        )
    if getattr(network, "input_shape", ()) is None:
        raise ValueError(f"{name} has no weights before its first batch: give it input_dim.")
    stack = network.spec.stack
    for option in ("use_batch_norm", "use_layer_norm", "dropout_rate"):
        if stack.get(option):
            raise ValueError(f"{name} must have no {option} to be Edifice's, like {option}=0.")
    if stack["activation"] not in SHARED_ACTIVATIONS:
        raise ValueError(
            f"{name} must have an activation that Axon has too, like 'relu', "
            f"not {stack['activation']!r}; both have {', '.join(SHARED_ACTIVATIONS)}."
        )
    return network


def _parameter(given: Mapping[str, Any], layer: str, name: str, variable: Any) -> jax.Array:
    if layer not in given or name not in given[layer]:
        raise KeyError(f"the parameters lack {name!r} of the layer {layer!r}.")
    value = jnp.asarray(array(f"{layer}/{name}", given[layer][name]))
    wanted = variable[...].shape
    if value.shape != wanted:
        raise ValueError(
            f"{layer}/{name} must have the shape {list(wanted)}, not {list(value.shape)}."
        )
    return value
