"""Decoders: networks from latent vectors to reconstructions.

Each has two constructor styles: `MLPDecoder(config, rngs=...)`, whose `hidden_dims` run in reverse,
and `MLPDecoder(hidden_dims=..., output_dim=..., latent_dim=..., activation=..., rngs=...)`, whose
`hidden_dims` run as given.
"""

from math import prod
from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.configuration import DecoderConfig, ModelConfiguration
from artifex_compat.generative_models.core.configuration.vae_config import ENCODER_TYPES
from artifex_compat.generative_models.core.layers.cnn import CNN, KERNEL
from artifex_compat.generative_models.core.layers.convolution import Conv
from artifex_compat.generative_models.core.layers.linear import linear
from artifex_compat.generative_models.core.layers.mlp import MLP
from artifex_compat.generative_models.core.layers.residual import ResNet
from artifex_compat.generative_models.models.vae.calling import call_in_mode
from artifex_compat.generative_models.models.vae.conditional_wrapper import (
    ConditionalWrapper,
    check_condition_options,
)
from artifex_compat.generative_models.models.vae.fitting import (
    Shape,
    halved,
    image_shape,
    resized,
)
from artifex_compat.generative_models.models.vae.networks import Decoder
from artifex_compat.generative_models.models.vae.spatial_autoencoder import SpatialDecoder
from artifex_compat.generative_models.models.vae.unified import decoder_config
from edifice_py.checks import choice, named


class MLPDecoder(Decoder):
    """Dense layers, then one of the size of the output.

    Attributes:
        backbone: the hidden layers, an `MLP`.
        output_layer: the last layer.
        output_shape: shape of one reconstruction.
        output_size: numbers in it.
        activation: the function after the last layer.

    Example:
        >>> import jax.numpy as jnp
        >>> decoder = MLPDecoder([8, 16], output_dim=(4, 4), latent_dim=3, rngs=nnx.Rngs(0))
        >>> decoder(jnp.ones((5, 3))).shape
        (5, 4, 4)
    """

    def build(self, shape: Shape, rngs: nnx.Rngs) -> None:
        """Make the weights for reconstructions of a shape."""
        features = self.latent_dim + self.condition_features
        self.output_size = prod(shape)
        self.backbone = MLP(self.hidden_dims, in_features=features, rngs=rngs, **self.spec.stack)
        self.output_layer = linear(self.hidden_dims[-1], self.output_size, rngs=rngs)

    @property
    def first_layer(self) -> nnx.Module:
        """The first dense layer."""
        return self.backbone.layers[0]

    def __call__(self, z: jax.Array, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """`[batch, latent_dim]` to `[batch, *output_shape]`.

        Raises:
            ValueError: `z` has another width.
        """
        z = self.accept(z)
        out = self.output_layer(self.backbone(z, rngs=rngs))
        return self.activation(out.reshape(*z.shape[:-1], *self.output_shape))


class CNNDecoder(Decoder):
    """A dense layer to a small image, transposed convolutions that double it, and one convolution.

    The small image is the output halved, rounding up, once a layer; what the layers make of it is
    resized to the output where they differ, as in Artifex.

    Attributes:
        initial_h, initial_w, initial_features: shape of the small image.
        project: the dense layer.
        cnn: the transposed convolutions, a `CNN`.
        output_conv: the last layer.
        output_shape: shape of one reconstruction.
        activation: the function after the last layer.
    """

    stack: type[CNN] | type[ResNet] = CNN

    def build(self, shape: Shape, rngs: nnx.Rngs) -> None:
        """Make the weights for images `(height, width, channels)`."""
        height, width, channels = image_shape("output_shape", shape)
        dims = self.hidden_dims
        self.initial_h = halved(height, len(dims))
        self.initial_w = halved(width, len(dims))
        self.initial_features = self.spec.initial_features
        size = self.initial_h * self.initial_w * self.initial_features
        self.project = linear(self.latent_dim + self.condition_features, size, rngs=rngs)
        self.cnn = self.stack(
            dims,
            in_features=self.initial_features,
            use_transpose=True,
            rngs=rngs,
            **self.spec.stack,
        )
        self.output_conv = Conv(dims[-1], channels, KERNEL, rngs=rngs)

    @property
    def first_layer(self) -> nnx.Module:
        """The dense layer."""
        return self.project

    def __call__(self, z: jax.Array, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """`[batch, latent_dim]` to images NHWC.

        Raises:
            ValueError: `z` has another width.
        """
        z = self.accept(z)
        small = self.initial_h, self.initial_w, self.initial_features
        h = self.cnn(self.project(z).reshape(-1, *small), rngs=rngs)
        images = resized(self.output_conv(h), self.output_shape).reshape(
            *z.shape[:-1], *self.output_shape
        )
        return self.activation(images)


class ResNetDecoder(CNNDecoder):
    """As `CNNDecoder`, with residual blocks for transposed convolutions."""

    stack = ResNet


class ConditionalDecoder(ConditionalWrapper):
    """A decoder that sees a condition beside its latent vector; the arguments are the wrapper's.

    Attributes:
        decoder: the decoder that it wraps.
        num_classes: how many labels there are.
    """

    wraps = "decoder"
    decoder: Any

    def __init__(
        self,
        decoder: nnx.Module,
        num_classes: int,
        embed_dim: int | None = None,
        *,
        rngs: nnx.Rngs,
        **options: Any,
    ) -> None:
        super().__init__(decoder, num_classes, embed_dim, rngs=rngs, **options)

    @property
    def output_shape(self) -> Shape | None:
        """Shape of one reconstruction, where the wrapped decoder says it."""
        return getattr(self.decoder, "output_shape", None)

    @property
    def latent_shape(self) -> Shape:
        """Shape of one latent vector."""
        shape: Shape = getattr(self.decoder, "latent_shape", None) or (self.latent_dim,)
        return shape

    def __call__(
        self,
        z: jax.Array,
        condition: object = None,
        *,
        rngs: nnx.Rngs | None = None,
        deterministic: bool | None = None,
    ) -> Any:
        """What the wrapped decoder gives for `z` under a condition.

        Args:
            z: a batch of latent vectors.
            condition: labels `[batch]`, rows `[batch, num_classes]`, or None for all zeros.
            rngs: given to the wrapped decoder if it takes them.
            deterministic: the same.

        Raises:
            TypeError, ValueError: the condition or the shape of `z` does not fit.
        """
        joined = self.conditioned(z, condition)
        return call_in_mode(self.decoder, joined, deterministic=deterministic, rngs=rngs)


_DECODERS = {
    "dense": MLPDecoder,
    "cnn": CNNDecoder,
    "resnet": ResNetDecoder,
    "spatial": SpatialDecoder,
}


def create_decoder(
    config: DecoderConfig,
    decoder_type: str = "dense",
    *,
    conditional: bool = False,
    num_classes: int | None = None,
    embed_dim: int | None = None,
    rngs: nnx.Rngs,
    **options: Any,
) -> nnx.Module:
    """The decoder of a configuration.

    Args:
        config: its configuration.
        decoder_type: "dense", "cnn", "resnet" or "spatial".
        conditional: wrap it in a `ConditionalDecoder`, with the options that follow.
        num_classes: how many labels there are.
        embed_dim: width of an embedding of them, None for one-hot.
        rngs: parameters come from its stream `params`.
        **options: further options of the wrapper: `condition_dim`, `condition_type`.

    Raises:
        ValueError: the type is unknown, or a value not allowed.
        TypeError: an option is unknown, or is of a condition where there is none.
    """
    kind = _DECODERS[choice("decoder_type", decoder_type, ENCODER_TYPES)]
    given = {"num_classes": num_classes, "embed_dim": embed_dim}
    check_condition_options("create_decoder", conditional, given, options)
    if not conditional:
        return kind(config=config, rngs=rngs)
    return ConditionalDecoder.around(kind, config, num_classes, embed_dim, rngs=rngs, **options)


@named
def create_decoder_unified(
    *,
    config: ModelConfiguration,
    decoder_type: str,
    conditional: bool = False,
    num_classes: int | None = None,
    embed_dim: int | None = None,
    rngs: nnx.Rngs,
) -> nnx.Module:
    """The decoder of a model's configuration; the other arguments are those of `create_decoder`.

    Its layers are the configuration's "decoder_features", in the order in which they stand.
    """
    return create_decoder(
        decoder_config(config),
        decoder_type,
        conditional=conditional,
        num_classes=num_classes,
        embed_dim=embed_dim,
        rngs=rngs,
    )
