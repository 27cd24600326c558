"""Networks of dense layers with Axon's layer names, initial values and arithmetic."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from edifice_py import checks, nx, random
from edifice_py.activations import ACTIVATIONS

Params = dict[str, dict[str, jax.Array]]
"""`{layer: {"kernel": [in, out], "bias": [out]}}`: a plain pytree."""


@dataclass(frozen=True)
class Dense:
    """A dense layer: `x @ kernel + bias`."""

    name: str
    inputs: int
    outputs: int

    def apply(self, params: Params, x: jax.Array) -> jax.Array:
        """`[..., inputs]` to `[..., outputs]`."""
        layer = params[self.name]
        return x @ layer["kernel"] + layer["bias"][(None,) * (x.ndim - 1)]


@dataclass(frozen=True)
class Model:
    """A trunk of dense layers with an activation after each, and one or more heads on top of it.

    Made by `edifice_py.generative.vae` and `vqvae`. It holds sizes and names, no parameters: `init`
    makes those, and every function of JAX works on them as on any pytree.
    """

    input_size: int
    trunk: tuple[Dense, ...]
    heads: tuple[Dense, ...]
    activation: str

    def init(self, seed: int | jax.Array) -> Params:
        """Initial parameters: Glorot-uniform kernels and zero biases, in float32.

        A kernel depends on the seed and its own name only, so an encoder built alone starts like
        the one of a pair.

        Args:
            seed: an integer as for `edifice_py.random.key`, or a key.

        Returns:
            `{layer: {"kernel": float32[in, out], "bias": float32[out]}}`.

        Raises:
            TypeError, ValueError: `seed` is neither an integer of up to 64 bits nor a key.

        Reference:
            Axon.build/2 with `seed:`, Axon.Initializers.glorot_uniform/1.
        """
        number = checks.integer(seed)
        if number is not None:
            key = random.key(number)
        else:
            key = checks.threefry_key("seed, where it is no integer,", seed)
        return {
            layer.name: {
                "kernel": _glorot_uniform(key, layer),
                "bias": jnp.zeros(layer.outputs, jnp.float32),
            }
            for layer in self.trunk + self.heads
        }

    def apply(self, params: Params, x: ArrayLike) -> Any:
        """The outputs of the network.

        Args:
            params: as from `init`.
            x: `[batch, input_size]`, or any number of leading axes. Computed in the wider of its
                type and that of the parameters; integers count as float32.

        Returns:
            `{name: [batch, outputs]}` where there are several heads, else the array of the one.

        Raises:
            KeyError: `params` lacks a layer.
            TypeError, ValueError: `x` or a parameter is no array, or its shape does not fit.

        Reference:
            Axon.predict/3.
        """
        given = _input(x, self.input_size)
        layers = self.trunk + self.heads
        return _apply(self, {layer.name: _weights(layer, params) for layer in layers}, given)


def _glorot_uniform(key: jax.Array, layer: Dense) -> jax.Array:
    """Axon folds the first four bytes of the md5 of the parameter's name into the key."""
    digest = hashlib.md5(f"{layer.name}.kernel".encode(), usedforsecurity=False).digest()
    kernel_key = random.fold_in(key, np.uint32(int.from_bytes(digest[:4], "big")))
    fan = np.float32((layer.inputs + layer.outputs) / 2)
    limit = np.sqrt(np.float32(3) * (np.float32(1) / fan))
    shape = (layer.inputs, layer.outputs)
    return random.uniform_with(kernel_key, -limit, limit, shape, jnp.float32)


@partial(jax.jit, static_argnums=0)
def _apply(model: Model, params: Params, x: jax.Array) -> Any:
    leaves = jax.tree.leaves(params)
    dtype = nx.float_type(x, *leaves)
    h = jnp.asarray(x, dtype)
    params = jax.tree.map(lambda leaf: leaf.astype(dtype), params)
    for layer in model.trunk:
        h = ACTIVATIONS[model.activation](layer.apply(params, h))
    outputs = {head.name: head.apply(params, h) for head in model.heads}
    return outputs if len(outputs) > 1 else outputs.popitem()[1]


def _input(x: ArrayLike, size: int) -> ArrayLike:
    """`x` as a network of this many inputs takes it."""
    given = checks.array("x", x)
    shape = jnp.shape(given)
    if not shape or shape[-1] != size:
        raise ValueError(f"x must have a last axis of {size}, not the shape {list(shape)}.")
    return given


def _weights(layer: Dense, params: Mapping[str, Any]) -> dict[str, ArrayLike]:
    """The kernel and the bias of a layer, in its shapes."""
    weights: dict[str, ArrayLike] = {}
    for name, shape in (
        ("kernel", (layer.inputs, layer.outputs)),
        ("bias", (layer.outputs,)),
    ):
        try:
            parameter = params[layer.name][name]
        except (KeyError, TypeError, IndexError):
            has = ", ".join(map(repr, params)) if isinstance(params, Mapping) else ""
            raise KeyError(
                f"params lacks {name!r} of the layer {layer.name!r}; it has the layers "
                f"{has or 'of no model'}."
            ) from None
        weights[name] = checks.array(f"params[{layer.name!r}][{name!r}]", parameter)
        given = jnp.shape(weights[name])
        if given != shape:
            raise ValueError(
                f"params[{layer.name!r}][{name!r}] must have the shape {list(shape)}, "
                f"not {list(given)}."
            )
    return weights
