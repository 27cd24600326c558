"""Noise of `Nx.Random` for a model of Flax NNX, so that it draws what Edifice draws."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from artifex_compat.generative_models.core.random import check_rngs
from edifice_py import random
from edifice_py.checks import array


class NxKey(nnx.RngState):
    """A key of `Nx.Random`: two uint32 words, which each draw replaces."""


class NxStream(nnx.RngStream):
    """A stream that draws as `Nx.Random` does, and hands its key on from one draw to the next.

    Args:
        key: uint32 `[2]`, as from `edifice_py.random.key`.

    Raises:
        TypeError, ValueError: `key` is no such key.

    Reference:
        Edifice.Generative.VAE, `reparameterize`: the key that it returns is that of the next call.
    """

    def __init__(self, key: Any) -> None:
        words = jnp.asarray(array("key", key))
        if words.shape != (2,) or words.dtype != jnp.uint32:
            raise ValueError(
                "key must be uint32 [2], as from edifice_py.random.key(0), "
                f"not {words.dtype} {list(words.shape)}."
            )
        self.tag = "sample"
        self.key: Any = NxKey(words)

    def __call__(self) -> jax.Array:
        """Nothing: what draws of JAX need is no key of Nx.

        Raises:
            TypeError: always.
        """
        raise TypeError("a stream of Nx.Random draws normal noise only, and has no keys for JAX.")

    def normal(self, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> jax.Array:
        """Standard normal noise."""
        noise, self.key[...] = random.normal(self.key[...], shape, dtype=dtype)
        return noise


def draw_as_edifice(model: Any, key: Any) -> None:
    """Let a model take its noise from `Nx.Random`, from a key on.

    Make the `Trainer` after this: it reads the model when it is made, and its checkpoints hold the
    key from then on.

    Args:
        model: a VAE, with an `nnx.Rngs` in `rngs`; its layers keep the streams that they have.
        key: uint32 `[2]`, as from `edifice_py.random.key`.

    Raises:
        TypeError: the model has no such `rngs`.
        ValueError: `key` is no such key.
    """
    check_rngs(getattr(model, "rngs", None))
    stream = NxStream(key)
    model.rngs = nnx.Rngs(0)
    model.rngs.sample = stream


def edifice_key(model: Any) -> jax.Array:
    """The key that the next draw of such a model will take, uint32 `[2]`.

    Raises:
        TypeError: the model takes its noise from elsewhere.
    """
    stream = getattr(getattr(model, "rngs", None), "sample", None)
    if not isinstance(stream, NxStream):
        raise TypeError("model must draw as Edifice: call draw_as_edifice(model, key) first.")
    return stream.key[...]
