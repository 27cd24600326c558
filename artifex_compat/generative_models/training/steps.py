"""One step of training: a loss, its gradients, the optimizer's update."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax

from artifex_compat.generative_models.models.vae.losses import (
    check_output,
    is_ours,
    own_loss_type,
)
from artifex_compat.generative_models.models.vae.vq_vae import VQVAE
from artifex_compat.generative_models.training.batches import call_model
from artifex_compat.generative_models.training.functional import Functional, InPlace, Values
from artifex_compat.generative_models.training.metrics import Scalars, scalars
from edifice_py.checks import integer

Metrics = dict[str, Any]
Loss = Callable[[Any, Any, Any, Any], tuple[jax.Array, Metrics]]
"""`(model, batch, rng, step) -> (loss, metrics)`."""


def update(
    model: nnx.Module, optimizer: nnx.Optimizer[Any], loss_of: Callable[[Any], Any]
) -> tuple[jax.Array, Metrics]:
    """Take one step down the gradient of `loss_of(model) -> (loss, metrics)`, if all is finite.

    Returns:
        Loss and metrics before the step; a step that is not taken has no finite loss.
    """
    before = [(item, item.get_raw_value()) for item in _variables(model, optimizer)]
    gradients, given = gradients_of(model, loss_of)
    descend(model, optimizer, gradients, given[0], loss_of)
    changed = [(item, old) for item, old in before if item.get_raw_value() is not old]
    after = [item.get_raw_value() for item, _ in changed]
    terms = scalars(given[1])
    good = _finite(terms.values) & stays_finite([old for _, old in changed], after)
    for (item, old), new in zip(changed, after, strict=True):
        item.set_value(jax.tree.map(lambda a, b: jnp.where(good, a, b), new, old))
    return _refused(good, given[0]), given[1]


def _refused(good: jax.Array, loss: jax.Array) -> jax.Array:
    """The loss of a step, NaN for a finite one of a step that was not taken."""
    return jnp.where(good | ~jnp.isfinite(loss), loss, jnp.nan)


def _variables(*nodes: Any) -> list[nnx.Variable[Any]]:
    return [item for _, item in nnx.iter_graph(nodes) if isinstance(item, nnx.Variable)]


def step_if_finite(
    functional: Functional, values: Values, loss_of: Callable[[Any], Any], good: Any = True
) -> tuple[Values, jax.Array, tuple[jax.Array, Metrics, Scalars]]:
    """Take one step, if all before, the loss and its terms are finite.

    Args:
        functional: a model and its optimizer.
        values: their arrays.
        loss_of: `loss_of(model) -> (loss, metrics)`.
        good: whether all before was finite.

    Returns:
        The arrays after the step, or those given; whether it was taken; loss, metrics, and the
        metrics that are single numbers.
    """

    def of_model(model: Any, _: Any) -> Any:
        return gradients_of(model, loss_of)

    seen, (gradients, (loss, metrics)) = functional.call(values, of_model)
    terms = scalars({"loss": loss, **metrics})
    good = good & _finite(terms.values)

    def moved() -> Values:
        def on_nodes(model: Any, optimizer: Any) -> None:
            descend(model, optimizer, gradients, loss, loss_of)

        return functional.call(seen, on_nodes)[0]

    return lax.cond(good, moved, lambda: values), good, (loss, metrics, terms)


def stays_finite(before: Any, after: Any) -> jax.Array:
    """Whether no number that was finite has become infinite or NaN.

    Optimizers may hold infinite numbers from the beginning, as the best loss so far.
    """
    pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    changed = [(old, new) for old, new in pairs if old is not new]
    return jnp.all(
        jnp.stack(
            [jnp.array(True)]
            + [
                jnp.all(jnp.isfinite(new) | ~jnp.isfinite(old))
                for old, new in changed
                if jnp.issubdtype(new.dtype, jnp.inexact)
            ]
        )
    )


def _finite(numbers: list[jax.Array]) -> jax.Array:
    return jnp.all(jnp.isfinite(jnp.stack(numbers))) if numbers else jnp.array(True)


def gradients_of(
    model: nnx.Module, loss_of: Callable[[Any], Any]
) -> tuple[Any, tuple[jax.Array, Metrics]]:
    """The gradients of `loss_of(model) -> (loss, metrics)`, and what it gave."""
    given, gradients = nnx.value_and_grad(loss_of, has_aux=True)(model)
    return gradients, given


def descend(
    model: nnx.Module,
    optimizer: nnx.Optimizer[Any],
    gradients: Any,
    loss: jax.Array,
    loss_of: Callable[[Any], Any],
) -> None:
    """Let the optimizer move the parameters.

    A transformation that takes more than gradients is given `value`, `grad` and `value_fn`.
    """
    extra: dict[str, Any] = {}
    if isinstance(optimizer.tx, optax.GradientTransformationExtraArgs | optax.MultiSteps):
        graphdef, params, *others = nnx.split(model, optimizer.wrt, ...)

        def value_fn(pure: Any) -> jax.Array:
            moved = jax.tree.unflatten(jax.tree.structure(params), jax.tree.leaves(pure))
            return cast(jax.Array, loss_of(nnx.merge(graphdef, moved, *others, copy=True))[0])

        grad = nnx.as_pure(nnx.state(gradients, optimizer.wrt))
        extra = {"value": loss, "grad": grad, "value_fn": value_fn}
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its count of steps
        try:
            optimizer.update(model, gradients, **extra)
        except TypeError as error:
            # optax.contrib.sam is of the type that takes any argument, and refuses them.
            if not extra or "unexpected keyword argument" not in str(error):
                raise
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
    """One step as a compiled function `(batch, step) -> (loss, metrics)`, as `update` gives them.

    The graph of model and optimizer is walked once, not every step; both are changed by each.
    """
    functional = Functional(model, optimizer)

    def run(values: Any, batch: Any, step: Any) -> Any:
        moved, good, (value, metrics, _) = step_if_finite(
            functional, values, lambda model: loss(model, batch, None, step)
        )
        return moved, (_refused(good, value), metrics)

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
