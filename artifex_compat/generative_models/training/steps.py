"""One step of training: a loss, its gradients, the optimizer's update."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.models.vae.losses import (
    check_output,
    is_ours,
    own_loss_type,
)
from artifex_compat.generative_models.models.vae.vq_vae import VQVAE
from artifex_compat.generative_models.training.batches import call_model
from artifex_compat.generative_models.training.functional import Functional, InPlace
from edifice_py.checks import integer

Metrics = dict[str, Any]
Loss = Callable[[Any, Any, Any, Any], tuple[jax.Array, Metrics]]
"""`(model, batch, rng, step) -> (loss, metrics)`."""


def update(
    model: nnx.Module, optimizer: nnx.Optimizer[Any], loss_of: Callable[[Any], Any]
) -> tuple[jax.Array, Metrics]:
    """Take one step down the gradient of `loss_of(model) -> (loss, metrics)`.

    Returns:
        Loss and metrics before the step.
    """
    gradients, found = gradients_of(model, loss_of)
    descend(model, optimizer, gradients)
    return found


def gradients_of(
    model: nnx.Module, loss_of: Callable[[Any], Any]
) -> tuple[Any, tuple[jax.Array, Metrics]]:
    """The gradients of `loss_of(model) -> (loss, metrics)`, and what it gave."""
    found, gradients = nnx.value_and_grad(loss_of, has_aux=True)(model)
    return gradients, found


def descend(model: nnx.Module, optimizer: nnx.Optimizer[Any], gradients: Any) -> None:
    """Let the optimizer move the parameters."""
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its count of steps
        optimizer.update(model, gradients)


def model_loss(model: Any, batch: Any, rng: Any, step: Any) -> tuple[jax.Array, Metrics]:
    """The loss of a model by its own `loss_fn`, and its terms."""
    del rng
    check_output(model, own_loss_type(model))
    x, outputs = call_model(model, batch)
    terms = model.loss_fn(x=x, outputs=outputs, step=step)
    return terms["loss"], terms


def codebook_loss(
    model: Any, x: jax.Array, outputs: Mapping[str, Any], loss_type: str
) -> tuple[jax.Array, Metrics]:
    """The loss of a VQ-VAE by its own `loss_fn`, as its KL is constant.

    Raises:
        ValueError: `loss_type` is another than the model's.
    """
    kind = getattr(model, "reconstruction_loss_type", "mse")
    if loss_type not in ("mse", kind):
        raise ValueError(
            f"loss_type must be that of the VQ-VAE, {kind!r}, not {loss_type!r}: "
            f"make it with reconstruction_loss_type={loss_type!r}."
        )
    terms = model.loss_fn(x=x, outputs=outputs)
    return terms["loss"], terms


def as_loss(function: Callable[..., Any]) -> Loss:
    """A loss function of a user in the one form that training calls.

    Args:
        function: `(model, batch, rng)` or `(model, batch, rng, step)`, which gives the loss, or
            the loss and a dictionary of metrics.
    """
    parameters = inspect.signature(function).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_step = len(positional) > 3 or any(p.kind is p.VAR_POSITIONAL for p in parameters)

    def loss(model: Any, batch: Any, rng: Any, step: Any) -> tuple[jax.Array, Metrics]:
        found = function(model, batch, rng, *((step,) if takes_step else ()))
        value, metrics = found if isinstance(found, tuple) else (found, {})
        return value, {"loss": value, **metrics}

    return loss


def loss_of(loss: Any, loss_type: str) -> Loss:
    """What a trainer minimizes: a `VAETrainer`'s loss, a user's, or the model's own for None."""
    if loss is None:
        return model_loss
    if hasattr(loss, "create_loss_fn"):
        return as_loss(loss.create_loss_fn(loss_type=loss_type))
    if callable(loss):
        return as_loss(loss)
    raise TypeError(f"loss must be a VAETrainer or a function, not {loss!r}.")


def read_loss_type(model: object, loss: object, loss_type: str | None) -> str | None:
    """The type of what `loss_of` gives, None for a user's function or reconstruction error."""
    if loss is not None:
        if hasattr(loss, "create_loss_fn"):
            methods = ("create_loss_fn", "compute_loss", "compute_reconstruction_loss")
            if not all(is_ours(getattr(type(loss), name, None)) for name in methods):
                return None
        elif is_ours(loss):
            loss_type = getattr(loss, "loss_type", None)  # of VAETrainer.create_loss_fn
        else:
            return None
    return own_loss_type(model) if loss is None or isinstance(model, VQVAE) else loss_type


def compiled_step(model: nnx.Module, optimizer: nnx.Optimizer[Any], loss: Loss) -> InPlace:
    """One step as a compiled function `(batch, step) -> (loss, metrics)`, both before it.

    The graph of model and optimizer is walked once, not every step; both are changed by each.
    """
    functional = Functional(model, optimizer)

    def run(values: Any, batch: Any, step: Any) -> Any:
        def on_nodes(model: Any, optimizer: Any) -> Any:
            return update(model, optimizer, lambda model: loss(model, batch, None, step))

        return functional.call(values, on_nodes)

    return InPlace(functional, run)


def step_number(step: Any) -> Any:
    """A step as an integer, or as the array that it is.

    Raises:
        ValueError: it is neither.
    """
    number = step if isinstance(step, jax.Array) else integer(step)
    if number is None:
        raise ValueError(f"step must be an integer, not {step!r}.")
    return number
