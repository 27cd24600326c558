"""Encoder and decoder of latents on a grid: one latent vector for every patch of an image."""

from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.activations import ACTIVATIONS
from artifex_compat.generative_models.core.layers.cnn import KERNEL, STRIDES
from artifex_compat.generative_models.core.layers.convolution import Conv, ConvTranspose
from artifex_compat.generative_models.models.vae.fitting import (
    Shape,
    halved,
    image_shape,
    resized,
)
from artifex_compat.generative_models.models.vae.networks import Decoder, Encoder
from edifice_py.checks import choice

SPATIAL_ACTIVATIONS = ("relu", "silu", "gelu")
"""The activations that Artifex's own spatial networks take."""

UP_KERNEL = (4, 4)


class SpatialEncoder(Encoder):
    """3 x 3 convolutions of stride 2, then two more to mean and log-variance on the grid.

    Images of any height and width fit, whatever `input_shape` is.

    Attributes:
        conv_layers: the hidden layers.
        mean_conv, logvar_conv: the heads.

    Raises:
        ValueError: the activation is not relu, silu or gelu, as in Artifex.
    """

    refused = ("use_batch_norm",)
    any_grid = True

    def build(self, shape: Shape, rngs: nnx.Rngs) -> None:
        """Make the weights for images `(height, width, channels)`."""
        _, _, channels = image_shape("input_shape", shape)
        _check(self.spec.stack, ("use_layer_norm", "dropout_rate"))
        features = channels + self.condition_features
        self.conv_layers: nnx.List[Any] = nnx.List([])
        for size in self.hidden_dims:
            layer = Conv(features, size, KERNEL, STRIDES, rngs=rngs)
            self.conv_layers.append(layer)
            features = size
        self.mean_conv = Conv(features, self.latent_dim, KERNEL, rngs=rngs)
        self.logvar_conv = Conv(features, self.latent_dim, KERNEL, rngs=rngs)

    @property
    def first_layer(self) -> nnx.Module:
        """The first convolution."""
        return self.conv_layers[0]

    def __call__(
        self,
        x: jax.Array,
        *,
        rngs: nnx.Rngs | None = None,  # noqa: ARG002
    ) -> tuple[jax.Array, jax.Array]:
        """Mean and log-variance, `[batch, height / 2^n, width / 2^n, latent_dim]` each.

        Raises:
            ValueError: the weights are for images of other channels.
        """
        x = self.accept(x)
        activation = ACTIVATIONS[self.spec.stack["activation"]]
        for layer in self.conv_layers:
            x = activation(layer(x))
        return self.mean_conv(x), self.logvar_conv(x)


class SpatialDecoder(Decoder):
    """One convolution, then transposed 4 x 4 ones of stride 2, the last of them to the image.

    Latents on a grid of any height and width fit. Those of `latent_shape` give `output_shape`, and
    others an image that is 2^n times as high and as wide, for n hidden layers.

    Attributes:
        input_conv: the first layer, on the grid.
        conv_transpose_layers: the hidden layers.
        output_conv: the last layer, which doubles the image once more.

    Raises:
        ValueError: the activation is not relu, silu or gelu, as in Artifex.
    """

    any_grid = True

    def build(self, shape: Shape, rngs: nnx.Rngs) -> None:
        """Make the weights for images `(height, width, channels)`."""
        _, _, channels = image_shape("output_shape", shape)
        _check(self.spec.stack, ("use_batch_norm", "use_layer_norm", "dropout_rate"))
        features, *others = self.hidden_dims
        inputs = self.latent_dim + self.condition_features
        self.input_conv = Conv(inputs, features, KERNEL, rngs=rngs)
        self.conv_transpose_layers: nnx.List[Any] = nnx.List([])
        for size in others:
            self.conv_transpose_layers.append(_doubling(features, size, rngs))
            features = size
        self.output_conv = _doubling(features, channels, rngs)

    @property
    def first_layer(self) -> nnx.Module:
        """The convolution on the grid."""
        return self.input_conv

    @property
    def latent_shape(self) -> Shape:
        """`(height / 2^n, width / 2^n, latent_dim)`, rounded up, for n hidden layers."""
        height, width, _ = image_shape("output_shape", self.output_shape)
        times = len(self.hidden_dims)
        return halved(height, times), halved(width, times), self.latent_dim

    def __call__(self, z: jax.Array, *, rngs: nnx.Rngs | None = None) -> jax.Array:  # noqa: ARG002
        """`[batch, height, width, latent_dim]` to images NHWC.

        Raises:
            ValueError: `z` has another shape.
        """
        z = self.accept(z)
        activation = ACTIVATIONS[self.spec.stack["activation"]]
        h = activation(self.input_conv(z))
        for layer in self.conv_transpose_layers:
            h = activation(layer(h))
        images = self.output_conv(h)
        if z.shape[1:3] == self.latent_shape[:2]:
            images = resized(images, self.output_shape)
        return self.activation(images)


def _check(stack: dict[str, Any], without: tuple[str, ...]) -> None:
    """Refuse options that these networks have not; batch normalisation of an encoder is off."""
    choice("activation", stack["activation"], SPATIAL_ACTIVATIONS)
    for option in without:
        if stack.get(option):
            raise ValueError(
                f"{option} must be off in a spatial network, not {stack[option]!r}; "
                "encoder_type 'cnn' has it."
            )


def _doubling(features: int, size: int, rngs: nnx.Rngs) -> ConvTranspose:
    return ConvTranspose(features, size, UP_KERNEL, STRIDES, rngs=rngs)
