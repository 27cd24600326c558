"""Residual blocks that halve or double an image."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core.activations import ACTIVATIONS, layer_features
from artifex_compat.generative_models.core.configuration.checks import some_sizes
from artifex_compat.generative_models.core.layers.cnn import BATCH_NORM_MOMENTUM, KERNEL, STRIDES
from artifex_compat.generative_models.core.layers.convolution import Conv, ConvTranspose
from artifex_compat.generative_models.core.layers.stack import BatchNorm, Stack, StackOptions
from edifice_py.checks import named, positive_int


class ResidualBlock(nnx.Module):
    """Two 3 x 3 convolutions, the first of stride 2, and a 1 x 1 shortcut around them.

    The transposed block doubles the image, and its shortcut repeats each pixel.

    Reference:
        He et al. (2016), Deep Residual Learning for Image Recognition, figure 2 and section 3.3,
        option B.
    """

    def __init__(
        self, in_features: int, features: int, options: StackOptions, *, up: bool, rngs: nnx.Rngs
    ) -> None:
        self.up = up
        width = layer_features(options.activation, features)
        first = ConvTranspose if up else Conv
        self.activation = options.activation
        self.conv1 = first(in_features, width, KERNEL, STRIDES, rngs=rngs)
        self.norm1 = _norm(width, options, rngs)
        self.conv2 = Conv(features, width, KERNEL, rngs=rngs)
        self.norm2 = _norm(width, options, rngs)
        strides = (1, 1) if up else STRIDES
        self.shortcut = Conv(in_features, width, (1, 1), strides, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """The block without its last activation, which the stack applies."""
        h = self.conv1(x)
        h = ACTIVATIONS[self.activation](self.norm1(h) if self.norm1 else h)
        h = self.conv2(h)
        h = self.norm2(h) if self.norm2 else h
        shortcut = self.shortcut(x)
        if self.up:
            shortcut = jnp.repeat(jnp.repeat(shortcut, STRIDES[0], axis=1), STRIDES[1], axis=2)
        return h + shortcut


class ResNet(Stack):
    """Residual blocks, each with an activation; the arguments are those of `CNN`."""

    @named
    def __init__(
        self,
        hidden_dims: Sequence[int],
        activation: str = "relu",
        in_features: int = 1,
        *,
        use_transpose: bool = False,
        use_batch_norm: bool = False,
        use_layer_norm: bool = False,
        dropout_rate: float = 0.0,
        rngs: nnx.Rngs,
    ) -> None:
        options = StackOptions(activation, use_batch_norm, use_layer_norm, dropout_rate)
        blocks_normalise = StackOptions(activation, dropout_rate=dropout_rate)
        super().__init__(blocks_normalise, rngs=rngs)
        self.hidden_dims = some_sizes("hidden_dims", hidden_dims)
        features = positive_int("in_features", in_features)
        for size in self.hidden_dims:
            block = ResidualBlock(features, size, options, up=use_transpose, rngs=rngs)
            self.add(block, size, momentum=None, rngs=rngs)
            features = size


def _norm(features: int, options: StackOptions, rngs: nnx.Rngs) -> nnx.Module | None:
    if options.layer_norm:
        return nnx.LayerNorm(features, rngs=rngs)
    if options.batch_norm:
        return BatchNorm(features, momentum=BATCH_NORM_MOMENTUM, rngs=rngs)
    return None
