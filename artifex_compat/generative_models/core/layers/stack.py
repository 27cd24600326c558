"""What the stacks share: how one layer is normalised, activated and dropped out."""

from dataclasses import dataclass
from typing import Any, cast

import jax
from flax import nnx

from artifex_compat.generative_models.core.activations import ACTIVATIONS
from artifex_compat.generative_models.core.configuration.checks import probability
from artifex_compat.generative_models.core.random import stream_key
from edifice_py.checks import choice


@dataclass(frozen=True)
class StackOptions:
    """How the layers of a stack are treated.

    Attributes:
        activation: a name of `ACTIVATIONS`, after every layer.
        batch_norm: normalise by the batch in training, by running statistics otherwise.
        layer_norm: normalise each example by itself, where there is no batch normalisation.
        dropout_rate: the part of a layer's output that training leaves out.

    Raises:
        ValueError: the activation is unknown, the rate not from 0 to 1, or both norms are on.
    """

    activation: str = "relu"
    batch_norm: bool = False
    layer_norm: bool = False
    dropout_rate: float = 0.0

    def __post_init__(self) -> None:
        choice("activation", self.activation, ACTIVATIONS)
        probability("dropout_rate", self.dropout_rate)
        if self.batch_norm and self.layer_norm:
            raise ValueError("use_batch_norm must be off beside use_layer_norm: give one of them.")


class Stack(nnx.Module):
    """Layers one after another: layer, normalisation, activation, dropout.

    Attributes:
        layers: the layers.
        batch_norms: a batch normalisation for the first of them, as many as there are.
        layer_norms: the same with layer normalisation.
    """

    def __init__(self, options: StackOptions, *, rngs: nnx.Rngs) -> None:
        self.options = options
        self.layers: nnx.List[Any] = nnx.List([])
        self.batch_norms: nnx.List[Any] = nnx.List([])
        self.layer_norms: nnx.List[Any] = nnx.List([])
        self.deterministic = False
        if options.dropout_rate:
            self.rngs = rngs

    def add(
        self, layer: nnx.Module, features: int, *, momentum: float | None, rngs: nnx.Rngs
    ) -> None:
        """Put a layer on top; `momentum` is that of its batch normalisation, None for no norm."""
        self.layers.append(layer)
        if self.options.layer_norm:
            self.layer_norms.append(nnx.LayerNorm(features, rngs=rngs))
        elif self.options.batch_norm and momentum is not None:
            self.batch_norms.append(BatchNorm(features, momentum=momentum, rngs=rngs))

    def __call__(self, x: jax.Array, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """`[batch, ..., in_features]` to `[batch, ..., features]`.

        Args:
            x: the input.
            rngs: where dropout comes from, what the layers were made with where not given.
        """
        activation = ACTIVATIONS[self.options.activation]
        norms = self.layer_norms if self.options.layer_norm else self.batch_norms
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index < len(norms):
                x = norms[index](x)
            x = self._dropout(activation(x), rngs)
        return x

    def _dropout(self, x: jax.Array, rngs: nnx.Rngs | None) -> jax.Array:
        rate = self.options.dropout_rate
        if not rate or self.deterministic:
            return x
        dropout = nnx.Dropout(rate, deterministic=False)
        return dropout(x, rngs=stream_key(self.rngs if rngs is None else rngs, "dropout"))


class BatchNorm(nnx.BatchNorm):
    """Batch normalisation that refuses to be trained on one value a channel, as PyTorch's does."""

    def __call__(
        self,
        x: jax.Array,
        use_running_average: bool | None = None,
        *,
        mask: jax.Array | None = None,
    ) -> jax.Array:
        """`[batch, ..., features]`, normalised.

        Raises:
            ValueError: there is one value a channel, in training.
        """
        given = use_running_average
        inference = self.use_running_average if given is None else given
        if not inference and x.size == x.shape[-1]:
            raise ValueError(
                "the batch must have at least 2 examples for batch normalisation in training, not "
                "1 with one value a channel: leave such a remainder out, or call model.eval() "
                "before inference."
            )
        return cast(jax.Array, super().__call__(x, given, mask=mask))
