"""Edifice's encoder and decoder in float64, forwards and backwards.

Parameters are flat: `encoder/mu/kernel` and so on. Reference: Edifice.Generative.VAE, build/1.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.arrays import Array
from golden.reference import activations, random

Params = dict[str, Array]
Layer = tuple[str, int, int]


@dataclass(frozen=True)
class Network:
    """Hidden layers with an activation each, and heads on the last of them."""

    hidden: tuple[Layer, ...]
    heads: tuple[Layer, ...]
    activation: str

    def init(self, seed: int) -> Params:
        """Glorot-uniform kernels and zero biases (Axon.Initializers, fan average)."""
        params = {}
        for path, inputs, outputs in self.hidden + self.heads:
            name = path.split("/")[1]
            digest = hashlib.md5(f"{name}.kernel".encode(), usedforsecurity=False).hexdigest()
            key = random.fold_in(random.key(seed), int(digest[:8], 16))
            limit = float(np.sqrt(6 / (inputs + outputs)))
            f32 = np.dtype(np.float32)
            params[f"{path}/kernel"] = random.uniform_with(
                key, (inputs, outputs), f32, -limit, limit
            )
            params[f"{path}/bias"] = np.zeros(outputs)
        return params

    def forward(self, params: Params, x: Array) -> tuple[list[Array], list[Array]]:
        """The heads' outputs, and the values before each activation with the input before them."""
        before = [x]
        h = x
        for path, _, _ in self.hidden:
            before.append(_dense(params, path, h))
            h = activations.apply(self.activation, before[-1])
        return [_dense(params, path, h) for path, _, _ in self.heads], before

    def backward(
        self, params: Params, before: list[Array], gradients: Sequence[Array]
    ) -> tuple[Params, Array]:
        """Gradients by the parameters and by the input, from those by the heads' outputs."""
        found: Params = {}
        h = self._hidden_value(before, len(self.hidden))
        g = np.zeros_like(h)
        for (path, _, _), gradient in zip(self.heads, gradients, strict=True):
            g = g + _dense_back(params, path, h, gradient, found)
        for index in reversed(range(len(self.hidden))):
            g = activations.pull_back(self.activation, before[index + 1], g)
            h = self._hidden_value(before, index)
            g = _dense_back(params, self.hidden[index][0], h, g, found)
        return found, g

    def _hidden_value(self, before: list[Array], index: int) -> Array:
        return activations.apply(self.activation, before[index]) if index else before[0]


def encoder(options: Mapping[str, Any], heads: Sequence[str], outputs: int) -> Network:
    """The encoder of Edifice's options, their defaults filled in."""
    return _network("encoder", options, options["input_size"], heads, outputs)


def decoder(options: Mapping[str, Any], inputs: int) -> Network:
    """The decoder of Edifice's options, their defaults filled in."""
    width = options.get("output_size") or options["input_size"]
    return _network("decoder", options, inputs, ("decoder_output",), width)


def _network(
    side: str, options: Mapping[str, Any], inputs: int, heads: Sequence[str], outputs: int
) -> Network:
    defaults = {"encoder": [256, 128], "decoder": [128, 256]}
    activation = options.get("activation", "relu")
    hidden = []
    for index, size in enumerate(options.get(f"{side}_sizes", defaults[side])):
        hidden.append((f"{side}/{side}_dense_{index}", inputs, size))
        inputs = 1 if activation == "log_sumexp" else size
    tops = tuple((f"{side}/{head}", inputs, outputs) for head in heads)
    return Network(tuple(hidden), tops, activation)


def _dense(params: Params, path: str, x: Array) -> Array:
    return x @ params[f"{path}/kernel"].astype(np.float64) + params[f"{path}/bias"]


def _dense_back(params: Params, path: str, x: Array, gradient: Array, found: Params) -> Array:
    found[f"{path}/kernel"] = x.T @ gradient
    found[f"{path}/bias"] = gradient.sum(axis=0)
    return gradient @ params[f"{path}/kernel"].astype(np.float64).T
