"""Activations by the names that configurations use; they are flax's own.

They are not Axon's (`edifice_py.activations`): Artifex's `gelu` is the tanh approximation.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
from flax import nnx

Activation = Callable[[jax.Array], jax.Array]


def identity(x: jax.Array) -> jax.Array:
    """The array as it is."""
    return x


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "celu": nnx.celu,
        "elu": nnx.elu,
        "gelu": nnx.gelu,
        "glu": nnx.glu,
        "hard_tanh": nnx.hard_tanh,
        "leaky_relu": nnx.leaky_relu,
        "relu": nnx.relu,
        "relu6": nnx.relu6,
        "selu": nnx.selu,
        "sigmoid": nnx.sigmoid,
        "silu": nnx.silu,
        "softplus": nnx.softplus,
        "softsign": nnx.soft_sign,
        "swish": nnx.swish,
        "tanh": nnx.tanh,
    }
)
"""For hidden layers. Each keeps the shape but `glu`, which halves the last axis."""

OUTPUT_ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {name: function for name, function in ACTIVATIONS.items() if name != "glu"}
    | {"identity": identity, "linear": identity}
)
"""For the last layer of a decoder; `linear` and `identity` leave it as it is."""


def layer_features(activation: str, features: int) -> int:
    """How wide a layer must be for `features` to come out of its activation."""
    return 2 * features if activation == "glu" else features
