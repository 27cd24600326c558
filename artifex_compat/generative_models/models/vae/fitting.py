"""Fitting a network to its input: shapes, weights that wait for them, room for a condition."""

from math import prod
from typing import NoReturn

import jax
import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core.layers.initial import lecun_normal
from artifex_compat.generative_models.core.layers.residual import ResidualBlock

Shape = tuple[int, ...]


class NoWeights:
    """What stands for the weights of an encoder that has not seen its first batch."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    @property
    def __jax_array__(self) -> NoReturn:  # JAX asks for it wherever it needs an array
        raise ValueError(self._sentence)

    @property
    def size(self) -> NoReturn:
        """What counts parameters asks for."""
        raise ValueError(self._sentence)

    @property
    def _sentence(self) -> str:
        return (
            f"{self.owner} has no weights before its first batch: call the model once on a batch, "
            "or give input_dim, before you make an optimizer or compile."
        )


def example_shape(x: jax.Array) -> Shape:
    """Shape of one example of a batch; a vector is one example.

    Raises:
        TypeError: it is no array.
    """
    if not hasattr(x, "shape"):
        raise TypeError(
            f"a batch must be an array, not a {type(x).__name__}; jax.numpy.asarray makes one."
        )
    return x.shape[1:] if x.ndim > 1 else x.shape


def image_shape(name: str, shape: Shape) -> tuple[int, int, int]:
    """`shape` as height, width and channels.

    Raises:
        ValueError: it has not three sizes.
    """
    if len(shape) != 3:
        raise ValueError(
            f"{name} must be (height, width, channels) for convolutions, not {shape}; "
            "dense networks take any shape."
        )
    return shape[0], shape[1], shape[2]


def halved(size: int, times: int) -> int:
    """`size` halved, rounding up, some times."""
    return -(-size // 2**times)


def resized(images: jax.Array, shape: Shape) -> jax.Array:
    """Images NHWC, bilinearly resized to a shape where they have another."""
    wanted = images.shape[0], shape[0], shape[1], images.shape[3]
    return images if images.shape == wanted else jax.image.resize(images, wanted, "bilinear")


def wrong_shape(name: str, wanted: tuple[int | str, ...], had: Shape, *, flat: bool = False) -> str:
    """The sentence for a batch of examples of a wrong shape; `flat` ones are taken too."""
    features = prod(size for size in wanted if isinstance(size, int))
    choices = f" or {_batch((features,))}" if flat and len(wanted) > 1 else ""
    return f"{name} must have the shape {_batch(wanted)}{choices}, not {_batch(had)}."


def widen(layer: nnx.Module, extra: int, *, rngs: nnx.Rngs) -> None:
    """Give a layer `extra` more inputs, drawn as lecun_normal; the weights that it has stay.

    Raises:
        TypeError: the layer is of a kind that cannot be widened.
    """
    if isinstance(layer, ResidualBlock):
        widen(layer.conv1, extra, rngs=rngs)
        widen(layer.shortcut, extra, rngs=rngs)
        return
    if not isinstance(layer, nnx.Linear | nnx.Conv | nnx.ConvTranspose):
        raise TypeError(f"a {type(layer).__name__} has no input that can be made wider.")
    kernel = layer.kernel[...]
    shape = (*kernel.shape[:-2], kernel.shape[-2] + extra, kernel.shape[-1])
    fresh = lecun_normal(rngs.params(), shape, kernel.dtype)
    layer.kernel = nnx.Param(jnp.concatenate([kernel, fresh[..., -extra:, :]], axis=-2))
    layer.in_features += extra


def _batch(shape: tuple[int | str, ...]) -> str:
    return f"[{', '.join(['batch', *map(str, shape)])}]"
