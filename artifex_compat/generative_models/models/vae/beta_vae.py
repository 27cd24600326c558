"""The beta-VAE, and its variant that holds the KL to a capacity."""

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.compiled_calls import compiled_call
from artifex_compat.generative_models.core.configuration import (
    BetaVAEConfig,
    BetaVAEWithCapacityConfig,
)
from artifex_compat.generative_models.models.vae import losses
from artifex_compat.generative_models.models.vae.assembly import assemble
from artifex_compat.generative_models.models.vae.base import VAE, Outputs
from edifice_py.checks import named, weight
from edifice_py.core import schedules

ReconstructionLoss = Callable[[jax.Array, jax.Array], jax.Array]


class BetaVAE(VAE):
    """A VAE whose KL is weighed by beta.

    It is made from a configuration, `BetaVAE(config, rngs=rngs)`, or from its parts.

    Args:
        encoder, decoder, latent_dim, config, kl_weight, rngs, precision: see `VAE`.
        beta_default: the weight of the KL, after the warm-up.
        beta_warmup_steps: steps over which it grows from 0; 0 for no warm-up.
        reconstruction_loss_type: "mse", a mean over all elements, or "bce", a sum over features.

    Raises:
        TypeError: both styles are mixed, or an argument is of another type.
        ValueError: a network is missing, or a value is not allowed.

    Reference:
        Higgins et al. (2017), beta-VAE; VAE API Reference, "BetaVAE".
    """

    config_class = BetaVAEConfig
    beta_default: float
    beta_warmup_steps: int
    reconstruction_loss_type: str

    @named
    def __init__(
        self,
        encoder: Any = None,
        decoder: Any = None,
        latent_dim: int | None = None,
        beta_default: float | None = None,
        beta_warmup_steps: int | None = None,
        reconstruction_loss_type: str | None = None,
        *,
        config: BetaVAEConfig | None = None,
        kl_weight: float | None = None,
        rngs: nnx.Rngs,
        precision: jax.lax.PrecisionLike = None,
    ) -> None:
        options = {
            "kl_weight": kl_weight,
            "beta_default": beta_default,
            "beta_warmup_steps": beta_warmup_steps,
            "reconstruction_loss_type": reconstruction_loss_type,
        }
        parts = assemble(self.config_class, encoder, decoder, latent_dim, config, options)
        self._set_up(parts, rngs, precision)

    @compiled_call()
    def loss_fn(
        self,
        params: Any = None,
        batch: Any = None,
        rng: Any = None,
        x: jax.Array | None = None,
        outputs: Any = None,
        beta: float | jax.Array | None = None,
        reconstruction_loss_fn: ReconstructionLoss | None = None,
        *,
        step: int | jax.Array | None = 0,
        **kwargs: Any,
    ) -> Outputs:
        """The terms of the loss: the reconstruction error plus beta times the KL.

        The arguments are those of `VAE.loss_fn`, with `beta` in place of the model's own and its
        warm-up, and `step`, the training step from 0 at which the warm-up stands.

        Returns:
            As `VAE.loss_fn`, and `beta`.

        Raises:
            ValueError, KeyError: as `VAE.loss_fn`.

        Reference:
            VAE API Reference, "BetaVAE", "Beta Annealing".
        """
        data, found = self._data_and_outputs(params, batch, rng, x, outputs, kwargs)
        kind = self.reconstruction_loss_type
        reconstruction = losses.reconstruction(data, found, kind, reconstruction_loss_fn)
        at = 0 if step is None else step
        scale = self._beta(at) if beta is None else weight("beta", beta)
        return losses.beta_terms(reconstruction, losses.kl(found), scale, show_beta=True)

    @property
    def warmup_steps(self) -> int:
        """Steps until `loss_fn` has the weight of the KL that it ends with."""
        return self.beta_warmup_steps

    def _beta(self, step: int | jax.Array) -> jax.Array:
        if self.beta_warmup_steps:
            return schedules.linear(step, self.beta_default, self.beta_warmup_steps)
        return schedules.constant(step, self.beta_default)


class BetaVAEWithCapacity(BetaVAE):
    """A beta-VAE that can hold its KL to a capacity which grows in training.

    It is made from a configuration, `BetaVAEWithCapacity(config, rngs=rngs)`, or from its parts.

    Args:
        encoder, decoder, latent_dim, config, kl_weight, rngs, precision: see `VAE`.
        beta_default, beta_warmup_steps, reconstruction_loss_type: see `BetaVAE`.
        use_capacity_control: hold the KL to the capacity; beta has no part then.
        capacity_max: the capacity in the end, in nats.
        capacity_num_iter: steps over which it grows from 0.
        gamma: weight of the distance of the KL from the capacity.

    Raises:
        TypeError: both styles are mixed, or an argument is of another type.
        ValueError: a network is missing, or a value is not allowed.

    Reference:
        Burgess et al. (2018), Understanding disentangling in beta-VAE, equation 8; VAE API
        Reference, "BetaVAEWithCapacity".
    """

    config_class = BetaVAEWithCapacityConfig
    use_capacity_control: bool
    capacity_max: float
    capacity_num_iter: int
    gamma: float

    @named
    def __init__(
        self,
        encoder: Any = None,
        decoder: Any = None,
        latent_dim: int | None = None,
        beta_default: float | None = None,
        beta_warmup_steps: int | None = None,
        reconstruction_loss_type: str | None = None,
        use_capacity_control: bool | None = None,
        capacity_max: float | None = None,
        capacity_num_iter: int | None = None,
        gamma: float | None = None,
        *,
        config: BetaVAEWithCapacityConfig | None = None,
        kl_weight: float | None = None,
        rngs: nnx.Rngs,
        precision: jax.lax.PrecisionLike = None,
    ) -> None:
        options = {
            "kl_weight": kl_weight,
            "beta_default": beta_default,
            "beta_warmup_steps": beta_warmup_steps,
            "reconstruction_loss_type": reconstruction_loss_type,
            "use_capacity_control": use_capacity_control,
            "capacity_max": capacity_max,
            "capacity_num_iter": capacity_num_iter,
            "gamma": gamma,
        }
        parts = assemble(self.config_class, encoder, decoder, latent_dim, config, options)
        self._set_up(parts, rngs, precision)

    @compiled_call()
    def loss_fn(  # type: ignore[override] # the document has `step` by position here
        self,
        params: Any = None,
        batch: Any = None,
        rng: Any = None,
        x: jax.Array | None = None,
        outputs: Any = None,
        beta: float | jax.Array | None = None,
        step: int | jax.Array | None = 0,
        reconstruction_loss_fn: ReconstructionLoss | None = None,
        **kwargs: Any,
    ) -> Outputs:
        """The terms of the loss: the reconstruction error plus gamma times abs(KL - C).

        The arguments are those of `BetaVAE.loss_fn`; `beta` does not enter while the capacity is
        controlled; `step` says where the capacity stands.

        Returns:
            As `VAE.loss_fn`, and `capacity_loss`, `current_capacity` and `kl_capacity_diff`, both
            in nats. Without capacity control, what `BetaVAE.loss_fn` returns.

        Raises:
            ValueError, KeyError: as `VAE.loss_fn`.
        """
        if not self.use_capacity_control:
            custom = reconstruction_loss_fn
            return super().loss_fn(
                params, batch, rng, x, outputs, beta, custom, step=step, **kwargs
            )
        data, found = self._data_and_outputs(params, batch, rng, x, outputs, kwargs)
        kind = self.reconstruction_loss_type
        reconstruction = losses.reconstruction(data, found, kind, reconstruction_loss_fn)
        at = 0 if step is None else step
        capacity = schedules.capacity(at, self.capacity_max, self.capacity_num_iter)
        return losses.capacity_terms(reconstruction, losses.kl(found), capacity, self.gamma)

    @property
    def warmup_steps(self) -> int:
        """Steps until `loss_fn` has the capacity, or the weight of the KL, that it ends with."""
        return self.capacity_num_iter if self.use_capacity_control else self.beta_warmup_steps
