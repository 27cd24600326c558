"""The base class of models, and the networks that they are made of."""

from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.layers.cnn import CNN
from artifex_compat.generative_models.core.layers.mlp import MLP
from artifex_compat.generative_models.core.random import check_rngs

__all__ = ["CNN", "MLP", "GenerativeModel"]


class GenerativeModel(nnx.Module):
    """A model that can be called, has a loss, and generates.

    Attributes:
        rngs: where its noise comes from: the very object that was given, so that two models of
            one `nnx.Rngs` share its counter. Another one may be put in its place.
        precision: precision of its matrix products and convolutions, None for JAX's default.
    """

    def __init__(self, *, rngs: nnx.Rngs | None, precision: jax.lax.PrecisionLike = None) -> None:
        self.rngs = None if rngs is None else check_rngs(rngs)
        self.precision = None if precision is None else jax.lax.Precision(precision)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The forward pass."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass.")

    def loss_fn(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The terms of the loss."""
        raise NotImplementedError(f"{type(self).__name__} has no loss.")

    def generate(self, n_samples: int = 1, **kwargs: Any) -> jax.Array:
        """Samples."""
        raise NotImplementedError(f"{type(self).__name__} generates nothing.")
