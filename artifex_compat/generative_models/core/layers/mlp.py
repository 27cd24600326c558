"""Dense layers."""

from collections.abc import Sequence

from flax import nnx

from artifex_compat.generative_models.core.activations import layer_features
from artifex_compat.generative_models.core.configuration.checks import some_sizes
from artifex_compat.generative_models.core.layers.linear import linear
from artifex_compat.generative_models.core.layers.stack import Stack, StackOptions
from edifice_py.checks import named, positive_int

BATCH_NORM_MOMENTUM = 0.9


class MLP(Stack):
    """Dense layers with an activation after each, as in Edifice and in Artifex 0.1.3.

    Batch normalisation stands between a layer and its activation, but not in the last layer.

    Args:
        hidden_dims: width of each layer.
        activation: a name of `core.activations.ACTIVATIONS`.
        in_features: width of the input.
        use_batch_norm, use_layer_norm, dropout_rate: see `StackOptions`.
        rngs: parameters come from its stream `params`, dropout from `dropout`.

    Raises:
        ValueError: a width is not positive, or the activation unknown.
    """

    @named
    def __init__(
        self,
        hidden_dims: Sequence[int],
        activation: str = "relu",
        in_features: int = 1,
        *,
        use_batch_norm: bool = False,
        use_layer_norm: bool = False,
        dropout_rate: float = 0.0,
        rngs: nnx.Rngs,
    ) -> None:
        options = StackOptions(activation, use_batch_norm, use_layer_norm, dropout_rate)
        super().__init__(options, rngs=rngs)
        self.hidden_dims = some_sizes("hidden_dims", hidden_dims)
        features = positive_int("in_features", in_features)
        for index, size in enumerate(self.hidden_dims):
            width = layer_features(activation, size)
            last = index == len(self.hidden_dims) - 1
            self.add(
                linear(features, width, rngs=rngs),
                width,
                momentum=None if last else BATCH_NORM_MOMENTUM,
                rngs=rngs,
            )
            features = size
