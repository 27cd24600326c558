"""Axon's activations in float64, each with its derivative; at a bend, with the slope that Nx takes.

Reference: the formulas of Axon.Activations' documentation, Axon 0.8; at bends Nx.Defn.Grad.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import erf

from golden.arrays import Array

Function = Callable[[Array], Array]

_ALPHA, _GAMMA = 1.6732632423543772, 1.0507009873554805


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.log1p(np.exp(x))


def _softmax(x: Array) -> Array:
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def _log_sumexp(x: Array) -> Array:
    return np.log(np.exp(x).sum(axis=-1, keepdims=True))


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(x))


def _elu_slope(x: Array) -> Array:
    return np.where(x > 0, 1, np.exp(x))


def _hard_sigmoid(x: Array) -> Array:
    return np.clip(0.2 * x + 0.2, 0, 1)


def _hard_sigmoid_slope(x: Array) -> Array:
    return 0.2 * _clipped_slope(0.2 * x + 0.2, 0, 1)


def _clipped_slope(x: Array, low: float, high: float) -> Array:
    """Of min(max(x, low), high): 1 within, 1/2 at the ends."""
    return (np.sign(x - low) - np.sign(x - high)) / 2


def _softplus_slope(x: Array) -> Array:
    """Of max(0, x) + log(1 + exp(-|x|)): at 0 it is 1/2 - 1/2, as |x| is taken to rise there."""
    return np.where(x == 0, 0, _sigmoid(x))


def _mish_slope(x: Array) -> Array:
    t = np.tanh(_softplus(x))
    return t + x * (1 - t**2) * _sigmoid(x)


ELEMENTWISE: dict[str, tuple[Function, Function]] = {
    "celu": (_elu, _elu_slope),
    "elu": (_elu, _elu_slope),
    "exp": (np.exp, np.exp),
    "gelu": (
        lambda x: x / 2 * (1 + erf(x / np.sqrt(2))),
        lambda x: (1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
    ),
    "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_slope),
    "hard_silu": (
        lambda x: x * _hard_sigmoid(x),
        lambda x: _hard_sigmoid(x) + x * _hard_sigmoid_slope(x),
    ),
    "hard_tanh": (lambda x: np.clip(x, -1, 1), lambda x: np.where(np.abs(x) > 1, 0, 1)),
    "leaky_relu": (
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, 1, 0.01),
    ),
    "linear": (lambda x: x, np.ones_like),
    "log_sigmoid": (lambda x: -_softplus(-x), lambda x: _softplus_slope(-x)),
    "mish": (lambda x: x * np.tanh(_softplus(x)), _mish_slope),
    "relu": (lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1, 0)),
    "relu6": (lambda x: np.clip(x, 0, 6), lambda x: _clipped_slope(x, 0, 6)),
    "selu": (
        lambda x: _GAMMA * np.where(x > 0, x, _ALPHA * np.expm1(x)),
        lambda x: _GAMMA * np.where(x > 0, 1, _ALPHA * np.exp(x)),
    ),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "silu": (
        lambda x: x * _sigmoid(x),
        lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)),
    ),
    "softplus": (_softplus, _softplus_slope),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x: (1 + np.abs(x)) ** -2.0),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
}
"""Functions of one number, with their derivatives."""

ROWWISE: dict[str, Function] = {
    "log_softmax": lambda x: x - _log_sumexp(x),
    "log_sumexp": _log_sumexp,
    "softmax": _softmax,
}
"""Functions of the last axis."""


def apply(name: str, x: Array) -> Array:
    """The activation of that name."""
    return ELEMENTWISE[name][0](x) if name in ELEMENTWISE else ROWWISE[name](x)


def pull_back(name: str, x: Array, gradient: Array) -> Array:
    """The gradient by x, from the gradient by the activation of x."""
    if name in ELEMENTWISE:
        return gradient * ELEMENTWISE[name][1](x)
    p = _softmax(x)
    total = gradient.sum(axis=-1, keepdims=True)
    if name == "log_sumexp":
        return p * total
    if name == "log_softmax":
        return gradient - p * total
    return p * (gradient - (p * gradient).sum(axis=-1, keepdims=True))
