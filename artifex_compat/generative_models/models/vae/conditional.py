"""The conditional VAE."""

import inspect
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from artifex_compat.generative_models.core.compiled_calls import compiled_call
from artifex_compat.generative_models.core.configuration import ConditionalVAEConfig
from artifex_compat.generative_models.core.configuration.vae_config import condition_sizes
from artifex_compat.generative_models.core.random import check_rngs
from artifex_compat.generative_models.models.vae import results
from artifex_compat.generative_models.models.vae.assembly import Parts, assemble
from artifex_compat.generative_models.models.vae.base import VAE, Outputs
from artifex_compat.generative_models.models.vae.batch import Batch, parse_batch
from artifex_compat.generative_models.models.vae.calling import labels_name
from artifex_compat.generative_models.models.vae.conditional_wrapper import ConditionalWrapper
from artifex_compat.generative_models.models.vae.conditioning import check_labels
from artifex_compat.generative_models.models.vae.decoders import (
    ConditionalDecoder,
    create_decoder,
)
from artifex_compat.generative_models.models.vae.encoders import (
    ConditionalEncoder,
    create_encoder,
)
from edifice_py.checks import named, options

_CONDITION = ("num_classes", "condition_dim", "condition_type", "embed_dim")


class ConditionalVAE(VAE):
    """A VAE whose encoder and decoder see a condition: a label, or a row of numbers.

    It is made from a configuration, `ConditionalVAE(config, rngs=rngs)`, or from its parts, which
    are wrapped in `ConditionalEncoder` and `ConditionalDecoder` where they are not yet.

    Every `y` is labels `[batch]`, from 0 to `condition_dim - 1`, or rows `[batch, condition_dim]`,
    or None, which is a row of zeros. A single label or row holds for the whole batch.

    Args:
        encoder, decoder, latent_dim, config, kl_weight, rngs, precision: see `VAE`.
        condition_dim: width of the one-hot condition.
        condition_type: "concat" puts it beside the input, "add" adds a learned projection of it.
        num_classes: how many labels there are, `condition_dim` where not given.
        embed_dim: width of a learned embedding of the labels, None for one-hot.

    Raises:
        TypeError: both styles are mixed, or an argument is of another type.
        ValueError: a network is missing, a value is not allowed, or a wrapped network has another
            condition.

    Reference:
        Sohn, Lee and Yan (2015), Learning Structured Output Representation using Deep Conditional
        Generative Models; VAE API Reference, "ConditionalVAE".
    """

    config_class = ConditionalVAEConfig
    condition_dim: int
    condition_type: str
    num_classes: int
    embed_dim: int | None

    @named
    def __init__(
        self,
        encoder: Any = None,
        decoder: Any = None,
        latent_dim: int | None = None,
        condition_dim: int | None = None,
        condition_type: str | None = None,
        *,
        config: ConditionalVAEConfig | None = None,
        num_classes: int | None = None,
        embed_dim: int | None = None,
        kl_weight: float | None = None,
        rngs: nnx.Rngs | None = None,
        precision: jax.lax.PrecisionLike = None,
    ) -> None:
        options = {
            "kl_weight": kl_weight,
            "condition_dim": condition_dim,
            "condition_type": condition_type,
            "num_classes": num_classes,
            "embed_dim": embed_dim,
        }
        for network in (encoder, decoder):
            if isinstance(network, ConditionalWrapper):
                of_network = {name: getattr(network, name) for name in _CONDITION}
                options = of_network | {n: v for n, v in options.items() if v is not None}
        parts = assemble(self.config_class, encoder, decoder, latent_dim, config, options)
        sizes = condition_sizes(parts.options["num_classes"], parts.options["condition_dim"])
        parts.options.update(zip(("num_classes", "condition_dim"), sizes, strict=True))
        self._set_up(parts, rngs, precision)

    def _networks(self, parts: Parts) -> tuple[Any, Any]:
        if parts.config is None:
            encoder = self._wrapped(ConditionalEncoder, parts.encoder)
            decoder = self._wrapped(ConditionalDecoder, parts.decoder)
            _fit(encoder, getattr(decoder, "output_shape", None))
            _fit(decoder, (self.latent_dim,))
            return encoder, decoder
        encoder_config, decoder_config = parts.config.networks()
        options: dict[str, Any] = {
            "conditional": True,
            "num_classes": self.num_classes,
            "embed_dim": self.embed_dim,
            "condition_dim": self.condition_dim,
            "condition_type": self.condition_type,
            "rngs": check_rngs(self.rngs),
        }
        kind = parts.config.encoder_type
        encoder = create_encoder(encoder_config, kind, **options)
        return encoder, create_decoder(decoder_config, kind, **options)

    def _wrapped(self, kind: type[ConditionalWrapper], network: Any) -> Any:
        """A network with a condition: itself, if it has one, or a wrapper around it."""
        if isinstance(network, ConditionalWrapper):
            for name in _CONDITION:
                had, wanted = getattr(self, name), getattr(network, name)
                if had != wanted:
                    raise ValueError(
                        f"{name} must be that of the {kind.wraps}, {wanted!r}, not {had!r}."
                    )
            return network
        if labels_name(type(network).__call__) is not None:
            return network
        return kind(
            network,
            self.num_classes,
            self.embed_dim,
            condition_dim=self.condition_dim,
            condition_type=self.condition_type,
            rngs=check_rngs(self.rngs),
        )

    def __call__(
        self,
        x: jax.Array,
        y: Any = None,
        *,
        rngs: nnx.Rngs | None = None,
        **kwargs: Any,  # noqa: ARG002 # trainers give more than is needed
    ) -> Outputs:
        """The forward pass, as `VAE.__call__`, under the condition `y`.

        Raises:
            TypeError, ValueError: `y` or `x` does not fit.
        """
        return self._forward(x, rngs=rngs, y=y)

    def check_call(self, arguments: Mapping[str, Any]) -> None:
        """Refuse values of a call that are not allowed: labels out of range among them."""
        super().check_call(arguments)
        params, batch, x, outputs = map(arguments.get, ("params", "batch", "x", "outputs"))
        batch, outputs = results.loss_arguments(params, batch, x, outputs, arguments)
        y = arguments.get("y")
        if y is None and outputs is None and isinstance(batch, Mapping | Batch):
            y = parse_batch(batch, x=x).condition
        seen = isinstance(y, list | tuple | int | np.ndarray | jax.Array)
        if seen and not isinstance(y, jax.core.Tracer):
            check_labels(np.asarray(y), self.condition_dim)

    @compiled_call("deterministic")
    def encode(
        self,
        x: jax.Array,
        y: Any = None,
        *,
        rngs: nnx.Rngs | None = None,
        deterministic: bool | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """Mean and log-variance of the posterior, as `VAE.encode`, under the condition `y`."""
        return self._encode(x, rngs=rngs, deterministic=deterministic, **_named(self.encoder, y))

    @compiled_call("deterministic")
    def decode(
        self,
        z: jax.Array,
        y: Any = None,
        *,
        rngs: nnx.Rngs | None = None,
        deterministic: bool | None = None,
    ) -> jax.Array:
        """Reconstructions of latent vectors, as `VAE.decode`, under the condition `y`."""
        return self._decode(z, rngs=rngs, deterministic=deterministic, **_named(self.decoder, y))

    @compiled_call("n_samples")
    def sample(
        self,
        n_samples: int = 1,
        *,
        temperature: float = 1.0,
        y: Any = None,
        rngs: nnx.Rngs | None = None,
        **kwargs: Any,
    ) -> jax.Array:
        """Samples, as `VAE.sample`, under the condition `y`; there are no other arguments."""
        known = ("n_samples", "temperature", "y", "rngs")
        options("ConditionalVAE.sample", kwargs, known)
        return self._sample(n_samples, temperature, rngs, y=y)

    @named
    @compiled_call()
    def reconstruct(
        self,
        x: jax.Array,
        y: Any = None,
        *,
        deterministic: bool = False,
        rngs: nnx.Rngs | None = None,
    ) -> jax.Array:
        """Reconstructions of a batch, as `VAE.reconstruct`, under the condition `y`."""
        return self._reconstruct(x, deterministic, rngs, y=y)

    @named
    @compiled_call("steps")
    def interpolate(
        self,
        x1: jax.Array,
        x2: jax.Array,
        steps: int = 10,
        *,
        y: Any = None,
        rngs: nnx.Rngs | None = None,
    ) -> jax.Array:
        """The line between two examples, as `VAE.interpolate`, under one `y`, or the first."""
        return self._interpolate(x1, x2, steps, rngs, y=_first(y, x1))

    @named
    @compiled_call("steps")
    def latent_traversal(
        self,
        x: jax.Array,
        dim: int,
        range_vals: tuple[float, float] = (-3.0, 3.0),
        steps: int = 10,
        *,
        y: Any = None,
        rngs: nnx.Rngs | None = None,
    ) -> jax.Array:
        """One latent number over a range, as `VAE.latent_traversal`; `y` as in `interpolate`."""
        return self._latent_traversal(x, dim, range_vals, steps, rngs, y=_first(y, x))


def _first(y: Any, x: Any) -> Any:
    """The condition of the first example, where there is one for each of a batch."""
    batch = jnp.shape(x)[:1]
    return y[:1] if y is not None and batch != (1,) and jnp.shape(y)[:1] == batch else y


def _named(network: Any, y: Any) -> dict[str, Any]:
    """The condition, by the name that a network has for it."""
    call = network if inspect.isroutine(network) else type(network).__call__
    name = labels_name(call)
    if name is None and y is not None:
        raise TypeError(
            f"a {type(network).__name__} takes no condition: wrap it in ConditionalEncoder or "
            "ConditionalDecoder, or give no y."
        )
    return {} if name is None else {name: y}


def _fit(network: Any, shape: tuple[int, ...] | None) -> None:
    """Make room for the condition before the first batch, where the shapes say how much."""
    if isinstance(network, ConditionalWrapper) and shape and network.could_take(shape):
        network.adapt(shape)
