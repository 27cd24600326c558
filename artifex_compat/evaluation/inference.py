"""A trained model for evaluation: its encoder and decoder, compiled, in inference mode."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.tree_util import Partial

from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.batches import padded
from artifex_compat.generative_models.models.vae.batch import Batch
from artifex_compat.generative_models.models.vae.calling import call_with, inference, labels_for
from artifex_compat.generative_models.models.vae.results import (
    as_outputs,
    posterior_of,
    read,
    reconstruction_of,
)
from edifice_py.checks import native


class InferenceModel:
    """What evaluation asks a model.

    The model itself is not changed: this is a copy of it, with running statistics and no dropout.

    Args:
        model: an `nnx.Module` with `encode` and `decode`, or for `posterior` alone one that can be
            called as the models here.

    Raises:
        TypeError: the model is no `nnx.Module`.
    """

    def __init__(self, model: Any) -> None:
        if not isinstance(model, nnx.Module):
            raise TypeError(
                f"model must be an nnx.Module, like a VAE, not a {type(model).__name__}; for "
                "others compute latents yourself, and give them to the metrics."
            )
        still = inference(model)
        self._graphdef, self._state = nnx.split(still)
        self._rows = 0
        self._encode = jax.jit(partial(_with_model, self._graphdef, _encode))
        self._decode = jax.jit(partial(_with_model, self._graphdef, _decode))
        self._quantizes = hasattr(still, "quantize")
        self._quantize = jax.jit(partial(_with_model, self._graphdef, _quantized))

    def posterior(self, batch: Batch) -> tuple[Array, Array]:
        """Mean and log-variance of a batch, `[n, latent]` each, or on a grid.

        Raises:
            ValueError: the model is for data of another shape.
        """
        # Padded to the largest batch so far, so that the smaller last one is not compiled anew.
        self._rows = max(self._rows, len(batch.x))
        x, condition = _arrays(padded(batch, self._rows))
        mean, log_var = self._encode(self._state, x, condition)
        return np.asarray(mean)[: len(batch.x)], np.asarray(log_var)[: len(batch.x)]

    def decode(self, z: Any, batch: Batch) -> Array:
        """Reconstructions of latents `[n, latent]`, under the condition of a batch."""
        _, condition = _arrays(batch)
        return np.asarray(self._decode(self._state, jnp.asarray(native(z)), condition))

    def code(self, mean: Array) -> Array:
        """What is decoded for a posterior mean: itself, or the codes of a VQ-VAE."""
        if not self._quantizes:
            return mean
        return np.asarray(self._quantize(self._state, jnp.asarray(mean)))

    def likelihood(self, of_reconstruction: Callable[..., jax.Array]) -> Partial:
        """A function of (data, condition) and latents to log-likelihoods `[n]`.

        Args:
            of_reconstruction: from data and reconstructions to log-likelihoods, see
                `densities.likelihood`.
        """
        function = partial(_likelihood, self._graphdef, of_reconstruction)
        return Partial(function, self._state)


def _likelihood(
    graphdef: Any, of_reconstruction: Any, state: Any, data: tuple[jax.Array, Any], z: jax.Array
) -> jax.Array:
    x, condition = data
    return of_reconstruction(x, _with_model(graphdef, _decode, state, z, condition))


def _with_model(graphdef: Any, function: Any, state: Any, *arguments: Any) -> Any:
    return function(nnx.merge(graphdef, state), *arguments)


def _encode(model: Any, x: jax.Array, condition: Any) -> tuple[jax.Array, jax.Array]:
    if hasattr(model, "encode"):
        return posterior_of(_called(model.encode, x, condition))
    outputs = as_outputs(_called(model, x, condition))
    return read(outputs, "mean"), read(outputs, "log_var")


def _decode(model: Any, z: jax.Array, condition: Any) -> jax.Array:
    return reconstruction_of(_called(model.decode, z, condition))


def _quantized(model: Any, mean: jax.Array) -> jax.Array:
    return model.quantize(mean)[0]


def _called(function: Any, x: jax.Array, condition: Any) -> Any:
    """What a method gives, under a condition if it takes one."""
    return call_with(function, x, **labels_for(function, condition))


def _arrays(batch: Batch) -> tuple[jax.Array, Any]:
    """Data and condition on the device."""
    return jnp.asarray(batch.x), None if batch.condition is None else jnp.asarray(batch.condition)


def posterior_of_data(model: Any, batches: Iterable[Batch]) -> tuple[Array, Array]:
    """Mean and log-variance of all examples, `[n, latent]` each, or on a grid.

    Raises:
        TypeError: as `InferenceModel`.
        ValueError: the model is for data of another shape, or there is no example.
    """
    inner = InferenceModel(model)
    parts = [inner.posterior(batch) for batch in batches]
    if not parts:
        raise ValueError("the data must have at least one example, and there is none.")
    means, log_vars = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(log_vars)
