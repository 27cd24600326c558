"""The trainer of VAEs: its loss with an annealed KL, and one step of training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.compiled_calls import (
    CannotCompileError,
    is_transformed,
    run_compiled,
)
from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    count,
    non_negative,
    one_of,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.models.vae.losses import check_output
from artifex_compat.generative_models.models.vae.results import as_outputs, read, with_aliases
from artifex_compat.generative_models.training.batches import (
    call_model,
    check_data,
    check_labels_of,
)
from artifex_compat.generative_models.training.functional import InPlace
from artifex_compat.generative_models.training.steps import (
    Metrics,
    codebook_loss,
    compiled_step,
    read_loss_type,
    step_number,
    update,
)
from edifice_py.checks import choice, named, positive_int, same_shape
from edifice_py.core import gaussian, objective, reconstruction, reduce, schedules

KL_ANNEALING = ("none", "linear", "sigmoid", "cyclical")
RECONSTRUCTION_ERRORS = {
    "mse": reconstruction.squared_error,
    "mae": reconstruction.absolute_error,
    "bce": reconstruction.bernoulli_from_probabilities,
}


@dataclass(frozen=True)
class VAETrainingConfig(Config):
    """How the KL is weighed while a VAE trains.

    Attributes:
        kl_annealing: "none", "linear", "sigmoid" or "cyclical": how its weight grows.
        kl_warmup_steps: steps to the full weight, of "linear" and "sigmoid".
        beta: the full weight.
        free_bits: least KL per latent dimension, in nats; 0 for none.
        cyclical_period: steps from one start of "cyclical" to the next.

    Raises:
        ValueError: a field holds what it cannot.

    Reference:
        Artifex, VAE Trainer, "Configuration".
    """

    kl_annealing: str = field(default="linear", metadata=checked(one_of(KL_ANNEALING)))
    kl_warmup_steps: int = field(default=10000, metadata=checked(count))
    beta: float = field(default=1.0, metadata=checked(non_negative))
    free_bits: float = field(default=0.0, metadata=checked(non_negative))
    cyclical_period: int = field(default=10000, metadata=checked(positive_int))


class VAETrainer:
    """Trains VAEs with KL annealing, beta and free bits: reconstruction + weight(step) * KL.

    `VAETrainer(config)` leaves model and optimizer to each call: `train_step(model, optimizer,
    batch, step=...)`, which may be wrapped in `nnx.jit`. `VAETrainer(model, optimizer, config)`
    keeps them, and its `train_step(batch, step=...)` is compiled already.

    A model gives a dictionary with `reconstructed`, `mean` and `log_var`, or the tuple
    `(reconstruction, mean, log_var)`.

    Args:
        model: the model to train, or the configuration where there is none.
        optimizer: its `nnx.Optimizer`.
        config: the configuration, `VAETrainingConfig()` where not given.

    Raises:
        TypeError: an argument is of another type, or there is a model without an optimizer.

    Reference:
        Artifex, VAE Trainer.
    """

    @named
    def __init__(
        self,
        model: nnx.Module | VAETrainingConfig | None = None,
        optimizer: nnx.Optimizer[Any] | None = None,
        config: VAETrainingConfig | None = None,
    ) -> None:
        if isinstance(model, VAETrainingConfig) and config is None:
            model, config = None, model
        self.config = VAETrainingConfig() if config is None else config
        if not isinstance(self.config, VAETrainingConfig):
            raise TypeError(f"config must be a VAETrainingConfig, not {self.config!r}.")
        self.model, self.optimizer = _model_and_optimizer(model, optimizer)
        self._steps: dict[str | None, InPlace] = {}

    @property
    def warmup_steps(self) -> int:
        """Steps until the KL first has its full weight."""
        config = self.config
        by_name = {"none": 0, "cyclical": -(-config.cyclical_period // 2)}
        return by_name.get(config.kl_annealing, config.kl_warmup_steps)

    @named
    def get_kl_weight(self, step: float | jax.Array) -> jax.Array:
        """Weight of the KL at a step, from 0 to beta.

        Args:
            step: training step from 0, which may be traced.

        Returns:
            A scalar, or an array in the shape of `step`.
        """
        config = self.config
        match config.kl_annealing:
            case "linear":
                return schedules.linear(step, config.beta, config.kl_warmup_steps)
            case "sigmoid":
                return schedules.sigmoid(step, config.beta, config.kl_warmup_steps)
            case "cyclical":
                return schedules.cyclical(step, config.beta, config.cyclical_period)
        return schedules.constant(step, config.beta)

    @named
    def apply_free_bits(self, kl_per_dim: jax.Array) -> jax.Array:
        """KL per latent dimension, at least `free_bits` each; same shape, in nats."""
        free = self.config.free_bits
        return gaussian.free_bits(kl_per_dim, free) if free > 0 else kl_per_dim

    @named
    def compute_kl_loss(self, mean: jax.Array, logvar: jax.Array) -> tuple[jax.Array, jax.Array]:
        """KL of the posterior from the prior, after free bits, in nats.

        Args:
            mean: `[batch, ..., latent_dim]`.
            logvar: log-variance, same shape.

        Returns:
            The mean over the batch, and the KL of each sample, `[batch]`.

        Raises:
            ValueError: the shapes differ.
        """
        same_shape(mean=mean, logvar=logvar)
        kl = self.apply_free_bits(gaussian.kl_per_dimension(mean, logvar))
        per_sample = kl if kl.ndim < 2 else reduce.latent_sum(kl.reshape(kl.shape[0], -1))
        return reduce.element_mean(per_sample), per_sample

    @named
    def compute_reconstruction_loss(
        self, x: jax.Array, recon_x: jax.Array, loss_type: str = "mse"
    ) -> jax.Array:
        """Reconstruction error: sum over features, mean over the batch.

        Args:
            x: `[batch, ...]`.
            recon_x: the reconstruction, same shape.
            loss_type: "mse", "mae", or "bce", for values from 0 to 1.

        Raises:
            ValueError: the shapes differ, or the type is unknown.
        """
        same_shape(x=x, recon_x=recon_x)
        error = RECONSTRUCTION_ERRORS[choice("loss_type", loss_type, RECONSTRUCTION_ERRORS)]
        return reduce.feature_sum_batch_mean(error(recon_x, x))

    @named
    def compute_loss(
        self,
        model: nnx.Module,
        batch: Any,
        step: int | jax.Array = 0,
        loss_type: str | None = None,
    ) -> tuple[jax.Array, Metrics]:
        """The loss of a batch, and its terms.

        Args:
            model: it is called on the data, and on the labels of the batch if it takes them.
            batch: an array `[batch, ...]`, or a dictionary as `parse_batch` reads it: data in
                `image` or `data`, labels in `y`.
            step: training step from 0, which says where the KL's weight stands.
            loss_type: as in `compute_reconstruction_loss`; "mse" where not given, and that of a
                VQ-VAE for one.

        Returns:
            The loss, and `loss`, `reconstruction_loss`, `kl_loss` before its weight in nats, and
            `kl_weight`; `recon_loss` and `total_loss` are other names of two of them. A VQ-VAE,
            whose KL is constant (van den Oord et al., 2017, section 3.2), has its own `loss_fn`.

        Raises:
            KeyError: the batch has no data, or the outputs of the model lack a term.
            ValueError: shapes differ, a VQ-VAE has another reconstruction loss, or "bce" is of a
                decoder whose output is not a sigmoid's.
        """
        check_output(model, read_loss_type(model, self, loss_type))
        kind = "mse" if loss_type is None else loss_type
        x, outputs = call_model(model, batch)
        outputs = as_outputs(outputs)
        if "codebook_loss" in outputs:
            return codebook_loss(model, x, outputs, loss_type)
        kl, _ = self.compute_kl_loss(read(outputs, "mean"), read(outputs, "log_var"))
        error = self.compute_reconstruction_loss(x, read(outputs, "reconstructed"), kind)
        weight = self.get_kl_weight(step)
        loss = objective.beta_objective(error, kl, weight)
        terms = {"reconstruction_loss": error, "kl_loss": kl, "kl_weight": weight}
        return loss, with_aliases({"total_loss": loss, **terms})

    @named
    def train_step(
        self,
        model: Any = None,
        optimizer: nnx.Optimizer[Any] | None = None,
        batch: Any = None,
        step: int | jax.Array = 0,
        loss_type: str | None = None,
    ) -> tuple[jax.Array, Metrics]:
        """One step of training: the loss, its gradients, the optimizer's update.

        A trainer that has a model and an optimizer takes the batch first, `train_step(batch,
        step=..., loss_type=...)`, and compiles by itself.

        Args:
            model: the model.
            optimizer: its optimizer.
            batch: as in `compute_loss`.
            step: as in `compute_loss`.
            loss_type: as in `compute_loss`.

        Returns:
            What `compute_loss` gives, before the update. If the loss or one of its terms is not
            finite, nothing is written.

        Raises:
            TypeError: an argument is missing, or a step that is compiled already is compiled.
            KeyError, ValueError: as `compute_loss`.
        """
        if isinstance(model, nnx.Module) and optimizer is not None:
            if type(self) is VAETrainer and not is_transformed():
                check_labels_of(model, batch)
                fixed = {"config": self.config, "loss_type": loss_type}
                free = {"batch": batch, "step": step}
                try:
                    return run_compiled(_train_step, (model, optimizer), fixed, free)
                except CannotCompileError:  # a network of a user's: its code runs as it is written
                    pass
            return update(
                model,
                optimizer,
                lambda model: self.compute_loss(model, batch, step, **_given(loss_type)),
            )
        if self.model is None or self.optimizer is None:
            raise TypeError(
                "train_step needs model, optimizer and batch, or a trainer that has the first two: "
                "VAETrainer(model, optimizer, config)."
            )
        if optimizer is not None:
            raise TypeError("step must be given by name: train_step(batch, step=...).")
        if model is not None and batch is not None:
            raise TypeError(
                "batch must be given alone to a trainer that has a model: train_step(batch, "
                "step=...), or train_step(model, optimizer, batch) for another model."
            )
        data = model if batch is None else batch
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((data, step))):
            raise TypeError(
                "train_step of a trainer that has a model is compiled already: call it as it is, "
                "or give nnx.jit the train_step of VAETrainer(config)."
            )
        loss, metrics = self._compiled(loss_type, data)(data, step_number(step))
        return loss, metrics

    def _compiled(self, loss_type: str | None, batch: Any) -> InPlace:
        if loss_type not in self._steps:
            check_data(self.model, read_loss_type(self.model, self, loss_type), batch)
            loss = self.create_loss_fn(loss_type=loss_type)
            self._steps[loss_type] = compiled_step(self.model, self.optimizer, loss)
        return self._steps[loss_type]

    @named
    def create_loss_fn(
        self, step: int | jax.Array | str | None = None, loss_type: str | None = None
    ) -> Callable[..., tuple[jax.Array, Metrics]]:
        """The loss as a function, for `Trainer`.

        Args:
            step: with one, the function is `(model, batch, rng)` at that step; without, it is
                `(model, batch, rng, step)`. A string is the `loss_type`, which is first in the
                releases of Artifex.
            loss_type: as in `compute_loss`.

        Returns:
            A function that gives what `compute_loss` gives; `rng` has no part in it.

        Raises:
            TypeError: there are two types.
            ValueError: the type is unknown.
        """
        if isinstance(step, str):
            if loss_type is not None:
                raise TypeError(f"step must be a number, not {step!r}: loss_type is given too.")
            step, loss_type = None, step
        if loss_type is not None:
            choice("loss_type", loss_type, RECONSTRUCTION_ERRORS)

        def loss_at(model: Any, batch: Any, rng: Any, step: Any) -> tuple[jax.Array, Metrics]:
            del rng
            return self.compute_loss(model, batch, step, **_given(loss_type))

        def loss_here(model: Any, batch: Any, rng: Any = None) -> tuple[jax.Array, Metrics]:
            return loss_at(model, batch, rng, step)

        chosen: Any = loss_at if step is None else loss_here
        chosen.loss_type = read_loss_type(None, self, loss_type)
        return chosen


def _train_step(
    model: Any,
    optimizer: nnx.Optimizer[Any],
    *,
    batch: Any,
    step: Any,
    config: VAETrainingConfig,
    loss_type: str | None,
) -> tuple[jax.Array, Metrics]:
    """A step of `VAETrainer(config)`, as a function of the module: what is compiled is kept."""
    return VAETrainer(config).train_step(model, optimizer, batch, step, loss_type)


def _given(loss_type: str | None) -> dict[str, str]:
    """The argument, where it is given: a subclass of a user's may have another default."""
    return {} if loss_type is None else {"loss_type": loss_type}


def _model_and_optimizer(model: Any, optimizer: Any) -> tuple[Any, Any]:
    if model is not None and not isinstance(model, nnx.Module):
        raise TypeError(
            f"model must be an nnx.Module, or a VAETrainingConfig alone, not {model!r}."
        )
    if (model is None) != (optimizer is None):
        raise TypeError("model and optimizer go together: give both, or neither.")
    if optimizer is not None and not isinstance(optimizer, nnx.Optimizer):
        raise TypeError(f"optimizer must be an nnx.Optimizer, not {optimizer!r}.")
    return model, optimizer
