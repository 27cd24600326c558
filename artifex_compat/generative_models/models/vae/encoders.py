"""Encoders: networks from a batch to the mean and the log-variance of its posterior.

Each has two constructor styles: `MLPEncoder(config, rngs=...)` and
`MLPEncoder(hidden_dims=..., latent_dim=..., activation=..., input_dim=..., rngs=...)`.
"""

from math import prod
from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.configuration import EncoderConfig, ModelConfiguration
from artifex_compat.generative_models.core.configuration.vae_config import ENCODER_TYPES
from artifex_compat.generative_models.core.layers.cnn import CNN
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
)
from artifex_compat.generative_models.models.vae.networks import Encoder
from artifex_compat.generative_models.models.vae.spatial_autoencoder import SpatialEncoder
from artifex_compat.generative_models.models.vae.unified import encoder_config
from edifice_py.checks import choice, named

Posterior = tuple[jax.Array, jax.Array]


def flatten(x: jax.Array) -> jax.Array:
    """`[batch, ...]` to `[batch, features]`, row-major; a vector stays as it is."""
    return x.reshape(x.shape[0], prod(x.shape[1:])) if x.ndim > 2 else x


class MLPEncoder(Encoder):
    """Dense layers, then two heads. Examples of any shape are flattened.

    Attributes:
        backbone: the hidden layers, an `MLP`.
        mean_proj, logvar_proj: the heads.

    Example:
        >>> import jax.numpy as jnp
        >>> encoder = MLPEncoder([16, 8], latent_dim=3, input_dim=(4, 4), rngs=nnx.Rngs(0))
        >>> [array.shape for array in encoder(jnp.ones((5, 4, 4)))]
        [(5, 3), (5, 3)]
    """

    flattens = True

    def build(self, shape: Shape, rngs: nnx.Rngs) -> None:
        """Make the weights for examples of a shape."""
        features = prod(shape) + self.condition_features
        dims = self.hidden_dims
        self.backbone = MLP(dims, in_features=features, rngs=rngs, **self.spec.stack)
        self.mean_proj = linear(dims[-1], self.latent_dim, rngs=rngs)
        self.logvar_proj = linear(dims[-1], self.latent_dim, rngs=rngs)

    @property
    def first_layer(self) -> nnx.Module:
        """The first dense layer."""
        return self.backbone.layers[0]

    def __call__(self, x: jax.Array, *, rngs: nnx.Rngs | None = None) -> Posterior:
        """Mean and log-variance, `[batch, latent_dim]` each.

        Raises:
            ValueError: the weights are for examples of another size.
        """
        x = self.accept(x)
        h = self.backbone(flatten(x), rngs=rngs)
        return self.mean_proj(h), self.logvar_proj(h)


class CNNEncoder(Encoder):
    """Convolutions that halve the image, then two heads on all that is left of it.

    Attributes:
        cnn: the hidden layers, a `CNN`.
        flatten: what stands between the layers and the heads.
        mean_proj, logvar_proj: the heads.
    """

    stack: type[CNN] | type[ResNet] = CNN

    def build(self, shape: Shape, rngs: nnx.Rngs) -> None:
        """Make the weights for images `(height, width, channels)`."""
        height, width, channels = image_shape("input_shape", shape)
        features = channels + self.condition_features
        dims = self.hidden_dims
        self.cnn = self.stack(dims, in_features=features, rngs=rngs, **self.spec.stack)
        self.flatten = flatten
        size = halved(height, len(dims)) * halved(width, len(dims)) * dims[-1]
        self.mean_proj = linear(size, self.latent_dim, rngs=rngs)
        self.logvar_proj = linear(size, self.latent_dim, rngs=rngs)

    @property
    def first_layer(self) -> nnx.Module:
        """The first convolution."""
        return self.cnn.layers[0]

    def __call__(self, x: jax.Array, *, rngs: nnx.Rngs | None = None) -> Posterior:
        """Mean and log-variance, `[batch, latent_dim]` each, of images NHWC.

        Raises:
            ValueError: the weights are for images of another shape.
        """
        x = self.accept(x)
        h = self.flatten(self.cnn(x, rngs=rngs))
        return self.mean_proj(h), self.logvar_proj(h)


class ResNetEncoder(CNNEncoder):
    """As `CNNEncoder`, with residual blocks for convolutions."""

    stack = ResNet


class ConditionalEncoder(ConditionalWrapper):
    """An encoder that sees a condition beside its input; the arguments are the wrapper's.

    Attributes:
        encoder: the encoder that it wraps.
        num_classes: how many labels there are.
    """

    wraps = "encoder"
    encoder: Any

    def __init__(
        self,
        encoder: nnx.Module,
        num_classes: int,
        embed_dim: int | None = None,
        *,
        rngs: nnx.Rngs,
        **options: Any,
    ) -> None:
        super().__init__(encoder, num_classes, embed_dim, rngs=rngs, **options)

    def __call__(
        self,
        x: jax.Array,
        condition: object = None,
        *,
        rngs: nnx.Rngs | None = None,
        deterministic: bool | None = None,
    ) -> Any:
        """What the wrapped encoder gives for `x` under a condition.

        Args:
            x: a batch.
            condition: labels `[batch]`, rows `[batch, num_classes]`, or None for all zeros.
            rngs: given to the wrapped encoder if it takes them.
            deterministic: the same.

        Raises:
            TypeError, ValueError: the condition or the shape of `x` does not fit.
        """
        joined = self.conditioned(x, condition)
        return call_in_mode(self.encoder, joined, deterministic=deterministic, rngs=rngs)


_ENCODERS = {
    "dense": MLPEncoder,
    "cnn": CNNEncoder,
    "resnet": ResNetEncoder,
    "spatial": SpatialEncoder,
}


def create_encoder(
    config: EncoderConfig,
    encoder_type: str = "dense",
    *,
    conditional: bool = False,
    num_classes: int | None = None,
    embed_dim: int | None = None,
    rngs: nnx.Rngs,
    **options: Any,
) -> nnx.Module:
    """The encoder of a configuration.

    Args:
        config: its configuration.
        encoder_type: "dense", "cnn", "resnet" or "spatial".
        conditional: wrap it in a `ConditionalEncoder`, with the options that follow.
        num_classes: how many labels there are.
        embed_dim: width of an embedding of them, None for one-hot.
        rngs: parameters come from its stream `params`.
        **options: further options of the wrapper: `condition_dim`, `condition_type`.

    Raises:
        ValueError: the type is unknown, or a value not allowed.
        TypeError: an option is unknown, or is of a condition where there is none.
    """
    kind = _ENCODERS[choice("encoder_type", encoder_type, ENCODER_TYPES)]
    given = {"num_classes": num_classes, "embed_dim": embed_dim}
    check_condition_options("create_encoder", conditional, given, options)
    if not conditional:
        return kind(config=config, rngs=rngs)
    return ConditionalEncoder.around(kind, config, num_classes, embed_dim, rngs=rngs, **options)


@named
def create_encoder_unified(
    *,
    config: ModelConfiguration,
    encoder_type: str,
    conditional: bool = False,
    num_classes: int | None = None,
    embed_dim: int | None = None,
    rngs: nnx.Rngs,
) -> nnx.Module:
    """The encoder of a model's configuration; the other arguments are those of `create_encoder`.

    Its layers are the configuration's "encoder_features", without batch normalisation.
    """
    return create_encoder(
        encoder_config(config),
        encoder_type,
        conditional=conditional,
        num_classes=num_classes,
        embed_dim=embed_dim,
        rngs=rngs,
    )
