"""Configurations of encoders and decoders."""

from dataclasses import dataclass, field

from artifex_compat.generative_models.core.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS
from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    flag,
    one_of,
    only,
    probability,
    some_sizes,
)
from artifex_compat.generative_models.core.configuration.config import BaseConfig
from edifice_py.checks import positive_int


@dataclass(frozen=True, kw_only=True)
class BaseNetworkConfig(BaseConfig):
    """What encoders and decoders share.

    Attributes:
        hidden_dims: widths of the dense layers, or channels of the convolutions.
        activation: a name of `core.activations.ACTIVATIONS`, after every hidden layer.
        batch_norm: batch normalisation of a decoder; False in an encoder, which has
            `use_batch_norm`.
        dropout_rate: the part of each hidden layer's output that training leaves out, 0 to 1.
    """

    hidden_dims: tuple[int, ...] = field(metadata=checked(some_sizes))
    activation: str = field(metadata=checked(one_of(ACTIVATIONS)))
    batch_norm: bool = field(default=False, metadata=checked(flag))
    dropout_rate: float = field(default=0.0, metadata=checked(probability))


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(BaseNetworkConfig):
    """Configuration of an encoder.

    Attributes:
        input_shape: shape of one example, without the batch: `(784,)`, `(28, 28, 1)`.
        latent_dim: width of the mean and of the log-variance.
        use_batch_norm: batch normalisation, on by default as in Artifex. A dense network has none
            after its last hidden layer, a convolutional one has it after every layer.
        use_layer_norm: layer normalisation after every hidden layer, in place of batch
            normalisation.
    """

    input_shape: tuple[int, ...] = field(metadata=checked(some_sizes))
    latent_dim: int = field(metadata=checked(positive_int))
    batch_norm: bool = field(
        default=False, metadata=checked(only(False, "an EncoderConfig, which has use_batch_norm"))
    )
    use_batch_norm: bool = field(default=True, metadata=checked(flag))
    use_layer_norm: bool = field(default=False, metadata=checked(flag))


@dataclass(frozen=True, kw_only=True)
class DecoderConfig(BaseNetworkConfig):
    """Configuration of a decoder, whose `hidden_dims` run in reverse: give them as the encoder's.

    Attributes:
        latent_dim: width of a latent vector.
        output_shape: shape of one reconstruction, without the batch.
        output_activation: a name of `core.activations.OUTPUT_ACTIVATIONS`.
    """

    latent_dim: int = field(metadata=checked(positive_int))
    output_shape: tuple[int, ...] = field(metadata=checked(some_sizes))
    output_activation: str = field(default="sigmoid", metadata=checked(one_of(OUTPUT_ACTIVATIONS)))
