"""Encoders and decoders out of Edifice's options: hidden dense layers, and heads on the last."""

from collections.abc import Sequence

from edifice_py import checks
from edifice_py.activations import ACTIVATIONS, output_size
from edifice_py.axon import Dense, Model


def encoder(
    input_size: int | None,
    encoder_sizes: Sequence[int],
    heads: tuple[str, ...],
    outputs: int,
    activation: str,
) -> Model:
    """An encoder with the layers `encoder_dense_0`, ..., and heads of `outputs` units each.

    Raises:
        KeyError: `input_size` is missing.
        ValueError: a size is no positive integer, or the activation unknown.
    """
    if input_size is None:
        raise KeyError("build_encoder needs input_size, the number of features of an input.")
    inputs = checks.positive_int("input_size", input_size)
    return _network("encoder", encoder_sizes, inputs, heads, outputs, activation)


def decoder(
    output_size: int | None,
    input_size: int | None,
    decoder_sizes: Sequence[int],
    inputs: int,
    activation: str,
) -> Model:
    """A decoder with the layers `decoder_dense_0`, ..., `decoder_output`.

    Raises:
        KeyError: `output_size` and `input_size` are missing.
        ValueError: a size is no positive integer, or the activation unknown.
    """
    if output_size is not None:
        outputs = checks.positive_int("output_size", output_size)
    elif input_size is not None:
        outputs = checks.positive_int("input_size", input_size)
    else:
        raise KeyError(
            "build_decoder needs output_size or input_size, the number of features of an output."
        )
    return _network("decoder", decoder_sizes, inputs, ("decoder_output",), outputs, activation)


def _network(
    name: str,
    sizes: Sequence[int],
    inputs: int,
    heads: tuple[str, ...],
    outputs: int,
    activation: str,
) -> Model:
    checks.choice("activation", activation, ACTIVATIONS)
    trunk = []
    width = inputs
    for index, size in enumerate(checks.sizes(f"{name}_sizes", sizes)):
        trunk.append(Dense(f"{name}_dense_{index}", width, size))
        width = output_size(activation, size)
    return Model(inputs, tuple(trunk), tuple(Dense(h, width, outputs) for h in heads), activation)
