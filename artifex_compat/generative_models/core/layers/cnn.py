"""Convolutions that halve or double an image."""

from collections.abc import Sequence

from flax import nnx

from artifex_compat.generative_models.core.activations import layer_features
from artifex_compat.generative_models.core.configuration.checks import some_sizes
from artifex_compat.generative_models.core.layers.convolution import Conv, ConvTranspose
from artifex_compat.generative_models.core.layers.stack import Stack, StackOptions
from edifice_py.checks import named, positive_int

KERNEL = (3, 3)
STRIDES = (2, 2)
BATCH_NORM_MOMENTUM = 0.99


class CNN(Stack):
    """3 x 3 convolutions of stride 2, or transposed ones, each with an activation.

    Each halves the height and width, rounding up, or doubles them. Images are NHWC.

    Args:
        hidden_dims: channels of each layer.
        activation: a name of `core.activations.ACTIVATIONS`.
        in_features: channels of the input.
        use_transpose: double the image in place of halving it.
        use_batch_norm, use_layer_norm, dropout_rate: see `StackOptions`.
        rngs: parameters come from its stream `params`, dropout from `dropout`.

    Raises:
        ValueError: a size is not positive, or the activation unknown.
    """

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
        super().__init__(options, rngs=rngs)
        self.hidden_dims = some_sizes("hidden_dims", hidden_dims)
        self.use_transpose = use_transpose
        convolution = ConvTranspose if use_transpose else Conv
        features = positive_int("in_features", in_features)
        for size in self.hidden_dims:
            width = layer_features(activation, size)
            self.add(
                convolution(features, width, KERNEL, STRIDES, rngs=rngs),
                width,
                momentum=BATCH_NORM_MOMENTUM,
                rngs=rngs,
            )
            features = size
