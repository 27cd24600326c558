"""Axon's activations, by Axon's names, with Nx's slopes at their bends.

They are jax.nn's own where both agree. Where Axon takes a maximum or minimum each side has half of
the slope at equality; |x| has the slope 1 at 0, which makes that of softplus there 0; and a choice
between two branches has the slope of the branch that is taken. A network meets these bends: biases
start at 0, and so does every hidden unit of a black image.

Reference: Axon.Activations, Axon 0.8.0; Nx.Defn.Grad, Nx 0.10.0.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import jax
import jax.numpy as jnp

from edifice_py.checks import owned

Activation = Callable[[jax.Array], jax.Array]


def _hard_sigmoid(x: jax.Array) -> jax.Array:
    return jnp.minimum(jnp.maximum(0.2 * x + 0.2, 0), 1)


def _hard_silu(x: jax.Array) -> jax.Array:
    return x * _hard_sigmoid(x)


def _hard_tanh(x: jax.Array) -> jax.Array:
    return jnp.where(x > 1, 1, jnp.where(x < -1, -1, x))


def _leaky_relu(x: jax.Array) -> jax.Array:
    return jnp.where(x > 0, x, 0.01 * x)


def _linear(x: jax.Array) -> jax.Array:
    return x


def _log_sigmoid(x: jax.Array) -> jax.Array:
    return -_softplus(-x)


def _mish(x: jax.Array) -> jax.Array:
    return x * jnp.tanh(_softplus(x))


def _relu6(x: jax.Array) -> jax.Array:
    return jnp.minimum(jnp.maximum(x, 0), 6)


def _softplus(x: jax.Array) -> jax.Array:
    magnitude = jnp.where(x >= 0, x, -x)
    return jnp.log1p(jnp.exp(-magnitude)) + jnp.maximum(0, x)


_FUNCTIONS: Mapping[str, Activation] = {
    "celu": jax.nn.celu,
    "elu": jax.nn.elu,
    "exp": jnp.exp,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _hard_silu,
    "hard_tanh": _hard_tanh,
    "leaky_relu": _leaky_relu,
    "linear": _linear,
    "log_sigmoid": _log_sigmoid,
    "log_softmax": jax.nn.log_softmax,
    "log_sumexp": partial(jax.nn.logsumexp, axis=-1, keepdims=True),
    "mish": _mish,
    "relu": jax.nn.relu,
    "relu6": _relu6,
    "selu": jax.nn.selu,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "softmax": jax.nn.softmax,
    "softplus": _softplus,
    "softsign": jax.nn.soft_sign,
    "tanh": jnp.tanh,
}


def _of_owned(function: Activation) -> Activation:
    """A function that takes arrays of numpy in any byte order, which may be filled anew after."""
    return lambda x: function(owned(x))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {name: _of_owned(function) for name, function in _FUNCTIONS.items()}
)
"""Each maps an array to one of the same shape, but `log_sumexp`, whose last axis becomes 1."""


def output_size(activation: str, size: int) -> int:
    """How wide an activation leaves a last axis of `size`."""
    return 1 if activation == "log_sumexp" else size
