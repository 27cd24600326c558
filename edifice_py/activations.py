"""Axon's activations, by Axon's names.

They are jax.nn's own wherever those agree. Two do not: Axon's hard sigmoid, and with it its hard
SiLU, is clip(0.2 x + 0.2, 0, 1); and the slope of its leaky ReLU is 0.01 at 0 too.

Reference: Axon.Activations, Axon 0.8.0.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import jax
import jax.numpy as jnp

Activation = Callable[[jax.Array], jax.Array]


def _hard_sigmoid(x: jax.Array) -> jax.Array:
    return jnp.clip(0.2 * x + 0.2, 0, 1)


def _hard_silu(x: jax.Array) -> jax.Array:
    return x * _hard_sigmoid(x)


def _leaky_relu(x: jax.Array) -> jax.Array:
    return jnp.where(x > 0, x, 0.01 * x)


def _linear(x: jax.Array) -> jax.Array:
    return x


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "celu": jax.nn.celu,
        "elu": jax.nn.elu,
        "exp": jnp.exp,
        "gelu": partial(jax.nn.gelu, approximate=False),
        "hard_sigmoid": _hard_sigmoid,
        "hard_silu": _hard_silu,
        "hard_tanh": jax.nn.hard_tanh,
        "leaky_relu": _leaky_relu,
        "linear": _linear,
        "log_sigmoid": jax.nn.log_sigmoid,
        "log_softmax": jax.nn.log_softmax,
        "log_sumexp": partial(jax.nn.logsumexp, axis=-1, keepdims=True),
        "mish": jax.nn.mish,
        "relu": jax.nn.relu,
        "relu6": jax.nn.relu6,
        "selu": jax.nn.selu,
        "sigmoid": jax.nn.sigmoid,
        "silu": jax.nn.silu,
        "softmax": jax.nn.softmax,
        "softplus": jax.nn.softplus,
        "softsign": jax.nn.soft_sign,
        "tanh": jnp.tanh,
    }
)
"""Each maps an array to one of the same shape, but `log_sumexp`, whose last axis becomes 1."""


def output_size(activation: str, size: int) -> int:
    """How wide an activation leaves a last axis of `size`."""
    return 1 if activation == "log_sumexp" else size
