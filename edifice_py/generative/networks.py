"""Encoders and decoders out of Edifice's options: hidden dense layers, and heads on the last."""

from collections.abc import Mapping
from typing import Any

from edifice_py import checks
from edifice_py.activations import ACTIVATIONS, output_size
from edifice_py.axon import Dense, Model


def encoder(options: Mapping[str, Any], heads: tuple[str, ...], outputs: int) -> Model:
    """An encoder with the layers `encoder_dense_0`, ..., and heads of `outputs` units each.

    Raises:
        KeyError: `input_size` is missing.
        ValueError: a size is no positive integer, or the activation unknown.
    """
    if "input_size" not in options:
        raise KeyError("build_encoder needs input_size, the number of features of an input.")
    inputs = checks.positive_int("input_size", options["input_size"])
    return _network("encoder", options, (256, 128), inputs, heads, outputs)


def decoder(options: Mapping[str, Any], inputs: int) -> Model:
    """A decoder with the layers `decoder_dense_0`, ..., `decoder_output`.

    Raises:
        KeyError: `output_size` and `input_size` are missing.
        ValueError: a size is no positive integer, or the activation unknown.
    """
    if options.get("output_size") is not None:
        outputs = checks.positive_int("output_size", options["output_size"])
    elif "input_size" in options:
        outputs = checks.positive_int("input_size", options["input_size"])
    else:
        raise KeyError(
            "build_decoder needs output_size or input_size, the number of features of an output."
        )
    return _network("decoder", options, (128, 256), inputs, ("decoder_output",), outputs)


def _network(
    name: str,
    options: Mapping[str, Any],
    default: tuple[int, ...],
    inputs: int,
    heads: tuple[str, ...],
    outputs: int,
) -> Model:
    activation = checks.choice("activation", options.get("activation", "relu"), ACTIVATIONS)
    sizes = checks.sizes(f"{name}_sizes", options.get(f"{name}_sizes", default))
    trunk = []
    width = inputs
    for index, size in enumerate(sizes):
        trunk.append(Dense(f"{name}_dense_{index}", width, size))
        width = output_size(activation, size)
    return Model(inputs, tuple(trunk), tuple(Dense(h, width, outputs) for h in heads), activation)
