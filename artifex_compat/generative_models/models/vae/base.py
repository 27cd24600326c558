"""The variational autoencoder, which every other model here is a variant of."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core.compiled_calls import compiled_call
from artifex_compat.generative_models.core.configuration import VAEConfig
from artifex_compat.generative_models.core.random import check_rngs
from artifex_compat.generative_models.models.vae import losses, results
from artifex_compat.generative_models.models.vae.assembly import Parts, assemble
from artifex_compat.generative_models.models.vae.batch import parse_batch
from artifex_compat.generative_models.models.vae.calling import (
    call_in_mode,
    call_with,
    inference,
    labels_for,
    labels_name,
)
from artifex_compat.generative_models.models.vae.conditional_wrapper import ConditionalWrapper
from artifex_compat.generative_models.models.vae.decoders import create_decoder
from artifex_compat.generative_models.models.vae.encoders import create_encoder
from artifex_compat.generative_models.models.vae.fitting import example_shape
from artifex_compat.generative_models.models.vae.latent_model import LatentModel
from artifex_compat.generative_models.models.vae.networks import Network
from edifice_py.checks import named, options, owned, same_shape, weight
from edifice_py.core import gaussian

Outputs = dict[str, Any]


class VAE(LatentModel):
    """A variational autoencoder.

    It is made from a configuration, `VAE(config, rngs=rngs)`, or from its parts,
    `VAE(encoder=..., decoder=..., latent_dim=..., kl_weight=..., rngs=rngs)`.

    `model(x)` is the forward pass of training. Every other method is for inference: it uses the
    running statistics of batch normalisation, drops nothing out and changes no state but the
    count of the stream that its noise comes from.

    Args:
        encoder: network from a batch to `(mean, log_var)`, or a dictionary of both; or the
            configuration.
        decoder: network from latent vectors to reconstructions.
        latent_dim: width of a latent vector.
        config: the configuration, in place of all of the others.
        kl_weight: weight of the KL in the loss, in units of the reconstruction error a nat.
        rngs: parameters come from its stream `params`, noise from `sample`, or from `default`.
        precision: precision of matrix products and convolutions, None for JAX's default.

    Raises:
        TypeError: both styles are mixed, or an argument is of another type.
        ValueError: a network is missing, or a value is not allowed.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes; VAE API Reference, "VAE".
    """

    config_class: type[VAEConfig] = VAEConfig
    kl_weight: float
    loss_options: tuple[str, ...] = (
        *("params", "batch", "rng", "x", "outputs", "beta", "reconstruction_loss_fn"),
        *("step", "y", "model_outputs"),
    )
    """Arguments of `loss_fn`."""

    @named
    def __init__(
        self,
        encoder: Any = None,
        decoder: Any = None,
        latent_dim: int | None = None,
        *,
        config: VAEConfig | None = None,
        kl_weight: float | None = None,
        rngs: nnx.Rngs,
        precision: jax.lax.PrecisionLike = None,
    ) -> None:
        parts = assemble(
            self.config_class, encoder, decoder, latent_dim, config, {"kl_weight": kl_weight}
        )
        self._set_up(parts, rngs, precision)

    def _set_up(
        self, parts: Parts, rngs: nnx.Rngs | None, precision: jax.lax.PrecisionLike
    ) -> None:
        super().__init__(rngs=rngs, precision=precision)
        self.latent_dim = parts.latent_dim
        for name, value in parts.options.items():
            setattr(self, name, value)
        self.encoder, self.decoder = self._networks(parts)
        if self.precision is not None:
            for network in (self.encoder, self.decoder):
                if isinstance(network, nnx.Module):
                    network.set_attributes(precision=self.precision, raise_if_not_found=False)

    def _networks(self, parts: Parts) -> tuple[Any, Any]:
        if parts.config is None:
            return parts.encoder, parts.decoder
        encoder, decoder = parts.config.networks()
        kind, rngs = parts.config.encoder_type, check_rngs(self.rngs)
        return create_encoder(encoder, kind, rngs=rngs), create_decoder(decoder, kind, rngs=rngs)

    def __call__(self, x: jax.Array, *, rngs: nnx.Rngs | None = None) -> Outputs:
        """The forward pass, in the mode that `train()` or `eval()` set.

        Args:
            x: `[batch, *input_shape]`.
            rngs: where the noise comes from, the model's own where not given.

        Returns:
            `reconstructed` `[batch, *output_shape]`, `mean`, `log_var` and `z`
            `[batch, latent_dim]`; `reconstruction` and `logvar` are other names of the same.

        Raises:
            ValueError: the networks are for another shape, or give no such thing.
        """
        return self._forward(x, rngs=rngs)

    def _forward(self, x: jax.Array, *, rngs: nnx.Rngs | None, **condition: Any) -> Outputs:
        options = {"deterministic": self.deterministic, "rngs": rngs, **condition}
        mean, log_var = call_in_mode(self.encode, x, **options)
        z = call_with(self.reparameterize, mean, log_var, rngs=rngs)
        reconstructed = call_in_mode(self.decode, z, **options)
        named = {"reconstructed": reconstructed, "mean": mean, "log_var": log_var, "z": z}
        return results.with_aliases(named)

    @compiled_call("deterministic")
    def encode(
        self, x: jax.Array, *, rngs: nnx.Rngs | None = None, deterministic: bool | None = None
    ) -> tuple[jax.Array, jax.Array]:
        """Mean and log-variance of the posterior, `[batch, latent_dim]` each.

        Args:
            x: `[batch, *input_shape]`.
            rngs: given to the encoder if it takes them.
            deterministic: True for inference, False to leave the encoder in its mode, as training
                needs. Where not given it is for inference, and within `__call__` the mode of the
                model. A Python bool: static when compiled.

        Raises:
            ValueError: the encoder is for another shape, or gives no mean and log-variance.
        """
        return self._encode(x, rngs=rngs, deterministic=deterministic)

    def _encode(
        self, x: jax.Array, *, rngs: nnx.Rngs | None, deterministic: bool | None, **condition: Any
    ) -> tuple[jax.Array, jax.Array]:
        x = owned(x)
        if adapt := getattr(self.encoder, "adapt", None):
            adapt(example_shape(x))
        found = self._called(self.encoder, x, rngs, deterministic, condition)
        return results.posterior_of(found)

    @compiled_call("deterministic")
    def decode(
        self, z: jax.Array, *, rngs: nnx.Rngs | None = None, deterministic: bool | None = None
    ) -> jax.Array:
        """Reconstructions of latent vectors, `[batch, *output_shape]`.

        Args:
            z: `[batch, latent_dim]`.
            rngs: given to the decoder if it takes them.
            deterministic: as in `encode`.

        Raises:
            ValueError: the decoder is for another width, or gives no array.
        """
        return self._decode(z, rngs=rngs, deterministic=deterministic)

    def _decode(
        self, z: jax.Array, *, rngs: nnx.Rngs | None, deterministic: bool | None, **condition: Any
    ) -> jax.Array:
        z = owned(z)
        if adapt := getattr(self.decoder, "adapt", None):
            adapt(example_shape(z))
        found = self._called(self.decoder, z, rngs, deterministic, condition)
        return results.reconstruction_of(found)

    def _called(
        self,
        network: Any,
        x: jax.Array,
        rngs: nnx.Rngs | None,
        deterministic: bool | None,
        condition: dict[str, Any],
    ) -> Any:
        """What a network gives, in its mode or for inference."""
        if deterministic is None or isinstance(deterministic, jax.core.Tracer):
            # Traced: an override was compiled without deterministic as a static argument.
            deterministic = self.deterministic if self.in_forward_pass else True
        in_eval = self.in_forward_pass and self.deterministic
        if deterministic and not in_eval:
            options = {"deterministic": True, "rngs": rngs, **condition}
            return call_in_mode(inference(network), x, **options)
        mode = getattr(network, "deterministic", deterministic)
        ours = isinstance(network, Network | ConditionalWrapper)
        source = self.rngs if rngs is None and ours else rngs
        return call_in_mode(network, x, deterministic=mode, rngs=source, **condition)

    def reparameterize(
        self, mean: jax.Array, log_var: jax.Array, *, rngs: nnx.Rngs | None = None
    ) -> jax.Array:
        """A sample of the posterior: `mean + noise * exp(log_var / 2)`, same shape.

        Log-variances are clipped to ±20; the noise is float32.

        Raises:
            ValueError: the shapes differ.
        """
        mean, log_var = map(jnp.asarray, same_shape(mean=mean, log_var=log_var))
        noise = self._noise(mean.shape, rngs)
        return gaussian.reparameterize(mean, gaussian.clip_log_var(log_var), noise)

    @compiled_call()
    def loss_fn(
        self,
        params: Any = None,
        batch: Any = None,
        rng: Any = None,
        x: jax.Array | None = None,
        outputs: Any = None,
        beta: float | jax.Array | None = None,
        reconstruction_loss_fn: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
        **kwargs: Any,
    ) -> Outputs:
        """The terms of the loss: mean squared error plus `beta` times the KL.

        Args:
            params: not used, trainers give it; or the data, where they are nowhere else.
            batch: the data, an array or a dictionary as `parse_batch` reads it; or the outputs, as
                in Artifex 0.1.3, `loss_fn(batch, outputs)`.
            rng: key or `nnx.Rngs` of the noise where the model is run.
            x: the data.
            outputs: what the model gave for them, where it was run before; `model_outputs` is
                Artifex 0.1.3's name for it.
            beta: weight of the KL, `kl_weight` where not given.
            reconstruction_loss_fn: the reconstruction term, of the reconstruction and the data.
            **kwargs: `step`, `y` and `model_outputs`, which a trainer gives and a variant of the
                model may use.

        Returns:
            `reconstruction_loss`, `kl_loss` in nats, `total_loss`; and `recon_loss` and `loss`.

        Raises:
            ValueError: there are no data, or the reconstruction has another shape than they.
            TypeError: there are two outputs, or an argument is unknown.
            KeyError: the outputs lack one that is needed.

        Reference:
            VAE API Reference, "loss_fn"; Edifice.Generative.VAE, `loss`, gives the same number.
        """
        data, found = self._data_and_outputs(params, batch, rng, x, outputs, kwargs)
        reconstruction = losses.reconstruction(data, found, "mse", reconstruction_loss_fn)
        scale = self.kl_weight if beta is None else weight("beta", beta)
        return losses.beta_terms(reconstruction, losses.kl(found), scale)

    def _data_and_outputs(
        self, params: Any, batch: Any, rng: Any, x: Any, outputs: Any, others: dict[str, Any]
    ) -> tuple[jax.Array, Any]:
        """The data of a loss and the model's outputs for them, which it is run for if need be."""
        options(f"{type(self).__name__}.loss_fn", others, self.loss_options)
        batch, found = results.loss_arguments(params, batch, x, outputs, others)
        if x is None and batch is None:
            raise ValueError("loss_fn needs the data: give x, an array, or batch.")
        conditional = found is None and labels_name(type(self).__call__) is not None
        given = parse_batch(batch, x=x, y=others.get("y"), conditional=conditional)
        if found is None:
            losses.check_output(self, losses.own_loss_type(self))
            rngs = rng if rng is None or isinstance(rng, nnx.Rngs) else nnx.Rngs(rng)
            labels = labels_for(type(self).__call__, given.condition)
            found = call_with(self, given.x, rngs=rngs, **labels)
        return owned(given.x), jax.tree.map(owned, dict(results.as_outputs(found)))
