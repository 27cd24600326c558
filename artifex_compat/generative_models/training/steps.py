"""One step of training: a loss, its gradients, the optimizer's update."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax

from artifex_compat.generative_models.models.vae.calling import loss_call
from artifex_compat.generative_models.models.vae.losses import (
    check_output,
    is_ours,
    own_loss_type,
)
from artifex_compat.generative_models.models.vae.vq_vae import VQVAE
from artifex_compat.generative_models.training.batches import call_model
from artifex_compat.generative_models.training.functional import (
    Functional,
    InPlace,
    Values,
    same_structure,
)
from artifex_compat.generative_models.training.metrics import Scalars, scalars
from edifice_py.checks import integer

Metrics = dict[str, Any]
Loss = Callable[[Any, Any, Any, Any], tuple[jax.Array, Metrics]]
"""`(model, batch, rng, step) -> (loss, metrics)`."""
WRITTEN = ("parameters", "optimizer state", "model state")
PARTS = ("loss", "gradient", *WRITTEN)
"""What of a step may not be finite."""
BITS = [1 << place for place in range(len(PARTS))]
SMALL = 8192
"""Elements of arrays that are looked at together."""


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
    trees = [(old, item.get_raw_value()) for item, old in changed]
    old, structure = jax.tree.flatten([old for old, _ in trees])
    new, new_structure = jax.tree.flatten([new for _, new in trees])
    same_structure(structure, new_structure)
    pairs = list(zip(old, new, strict=True))
    good = all_finite(scalars(given[1]).values) & stays_finite(pairs)
    for (item, _), (old, new) in zip(changed, trees, strict=True):
        item.set_value(jax.tree.map(lambda a, b: jnp.where(good, a, b), new, old))
    return _refused(good, given[0]), given[1]


def _refused(good: jax.Array, loss: jax.Array) -> jax.Array:
    """The loss of a step, NaN for a finite one of a step that was not taken."""
    return jnp.where(good | ~jnp.isfinite(loss), loss, jnp.nan)


def _variables(*nodes: Any) -> list[nnx.Variable[Any]]:
    return [item for _, item in nnx.iter_graph(nodes) if isinstance(item, nnx.Variable)]


class Step(NamedTuple):
    """What a step makes of arrays.

    Attributes:
        values: the arrays after it.
        gradients: of the loss.
        loss: before it.
        metrics: before it.
        terms: the loss, and the metrics that are single numbers.
    """

    values: Values
    gradients: Any
    loss: jax.Array
    metrics: Metrics
    terms: Scalars


def take_step(functional: Functional, values: Values, loss_of: Callable[[Any], Any]) -> Step:
    """Take one step, finite or not.

    Args:
        functional: a model and its optimizer.
        values: their arrays.
        loss_of: `loss_of(model) -> (loss, metrics)`.
    """

    def on_nodes(model: Any, optimizer: Any) -> Any:
        gradients, (loss, metrics) = gradients_of(model, loss_of)
        gradients = lax.optimization_barrier(gradients)
        descend(model, optimizer, gradients, loss, loss_of)
        return gradients, loss, metrics

    new, (gradients, loss, metrics) = functional.call(values, on_nodes)
    return Step(new, gradients, loss, metrics, scalars({"loss": loss, **metrics}))


def take_finite_step(
    functional: Functional,
    values: Values,
    loss_of: Callable[[Any], Any],
    allowed: jax.Array | bool = True,
) -> tuple[Step, jax.Array]:
    """Take one step, unless a term of the loss, or what the step would write, is not finite.

    Args:
        functional: a model and its optimizer.
        values: their arrays.
        loss_of: `loss_of(model) -> (loss, metrics)`.
        allowed: whether to take it at all.

    Returns:
        The step, with the arrays given if it was not taken; and what was not finite, int32, a bit
        for each of `PARTS`, 0 for a step that was taken.
    """
    step = take_step(functional, values, loss_of)
    pairs = zip(values, step.values, strict=True)
    changed = [index for index, (old, new) in enumerate(pairs) if new is not old]

    def look(carry: Any) -> Any:
        pairs = [(values[index], new) for index, new in zip(changed, carry[2], strict=True)]
        parts = [_part(functional, index) for index in changed]
        finite = {
            "loss": all_finite(step.terms.values),
            "gradient": all_finite(jax.tree.leaves(step.gradients)),
        } | {
            part: stays_finite([pair for pair, of in zip(pairs, parts, strict=True) if of == part])
            for part in WRITTEN
        }
        bad = [~finite[part] for part in PARTS]
        refused = jnp.logical_not(allowed) | ~finite["loss"]
        for part in WRITTEN:
            refused = refused | ~finite[part]
        bits = jnp.sum(jnp.where(jnp.stack(bad), jnp.array(BITS, jnp.int32), 0), dtype=jnp.int32)
        kept = [jnp.where(refused, old, new) for old, new in pairs]
        return jnp.array(False), jnp.where(refused, bits, 0), kept

    new = [step.values[index] for index in changed]
    doubtful = ~(allowed & all_finite(step.terms.values) & seem_finite(new))
    # A loop of one turn at most: for a conditional that passes arrays on XLA copies them all.
    _, bits, kept = lax.while_loop(lambda carry: carry[0], look, (doubtful, jnp.int32(0), new))
    result = list(step.values)
    for index, value in zip(changed, kept, strict=True):
        result[index] = value
    return step._replace(values=result), bits


def _part(functional: Functional, index: int) -> str:
    """Which of `WRITTEN` an array of a model and its optimizer is in."""
    if functional.paths[index][0] == 1:
        return "optimizer state"
    return "parameters" if issubclass(functional.types[index], nnx.Param) else "model state"


def stays_finite(pairs: Iterable[tuple[Any, Any]]) -> jax.Array:
    """Whether no number that was finite has become infinite or NaN, for pairs of old and new.

    Optimizers may hold infinite numbers from the beginning, as the best loss so far.
    """
    return _all(
        jnp.isfinite(new) | ~jnp.isfinite(old)
        for old, new in pairs
        if jnp.issubdtype(new.dtype, jnp.inexact)
    )


def seem_finite(arrays: Iterable[jax.Array]) -> jax.Array:
    """Whether all numbers are finite; False may be wrong, where memory is read at full speed."""
    numbers = [array for array in arrays if jnp.issubdtype(array.dtype, jnp.inexact)]
    single = [array for array in numbers if array.dtype == jnp.float32]
    small = [array.ravel() for array in single if array.size <= SMALL]
    # Anything finite times zero is zero, and all else NaN.
    zeros = [jnp.sum(lax.optimization_barrier(jnp.concatenate(small)) * 0)] if small else []
    for array in single:
        if array.size > SMALL:
            rows = array.reshape(-1, array.shape[-1])
            zeros.append(jnp.sum(rows @ jnp.zeros(rows.shape[-1], rows.dtype)))
    others = (jnp.isfinite(array) for array in numbers if array.dtype != jnp.float32)
    return _all([*(zero == 0 for zero in zeros), *others])


def all_finite(arrays: Iterable[jax.Array]) -> jax.Array:
    """Whether all numbers are finite."""
    return _all(map(jnp.isfinite, arrays))


def _all(conditions: Iterable[jax.Array]) -> jax.Array:
    return jnp.all(jnp.stack([jnp.array(True), *map(jnp.all, conditions)]))


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

        grad = jax.tree.map(
            nnx.Variable.get_raw_value,
            nnx.state(gradients, optimizer.wrt),
            is_leaf=lambda node: isinstance(node, nnx.Variable),
        )
        extra = {"value": loss, "grad": grad, "value_fn": value_fn}
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its count of steps
        try:
            optimizer.update(model, gradients, **extra)
        except TypeError as error:
            # optax.contrib.sam is of the type that takes any argument, and refuses them.
            if not extra or "unexpected keyword argument" not in str(error):
                raise
            optimizer.update(model, gradients)


def model_loss(model: Any) -> Loss:
    """The loss of a model by its own `loss_fn`, and its terms.

    Raises:
        TypeError: it has none, or one of another form.
    """
    call = loss_call(model)

    def loss(model: Any, batch: Any, rng: Any, step: Any) -> tuple[jax.Array, Metrics]:
        del rng
        check_output(model, own_loss_type(model))
        x, outputs = call_model(model, batch)
        terms = call(model, x, outputs, step=step)
        return terms["loss"], terms

    return loss


def codebook_loss(
    model: Any, x: jax.Array, outputs: Mapping[str, Any], loss_type: str | None
) -> tuple[jax.Array, Metrics]:
    """The loss of a VQ-VAE by its own `loss_fn`, as its KL is constant.

    Raises:
        ValueError: `loss_type` is another than the model's.
    """
    kind = getattr(model, "reconstruction_loss_type", "mse")
    if loss_type not in (None, kind):
        raise ValueError(
            f"loss_type must be that of the VQ-VAE, {kind!r}, not {loss_type!r}: "
            f"make it with reconstruction_loss_type={loss_type!r}."
        )
    terms = loss_call(model)(model, x, outputs)
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


def loss_of(model: Any, loss: Any, loss_type: str | None) -> Loss:
    """What a trainer minimizes: a `VAETrainer`'s loss, a user's, or the model's own for None.

    Raises:
        TypeError: `loss` is something else, or the model has no `loss_fn` of a known form.
        ValueError: there is a `loss_type`, which only the loss of a `VAETrainer` has.
    """
    if hasattr(loss, "create_loss_fn"):
        options = {} if loss_type is None else {"loss_type": loss_type}
        return as_loss(loss.create_loss_fn(**options))
    if loss is not None and not callable(loss):
        raise TypeError(f"loss must be a VAETrainer or a function, not {loss!r}.")
    if loss_type is not None:
        whose = "the model's own loss_fn" if loss is None else "a function"
        raise ValueError(
            f"loss_type must not be given beside {whose}, which has its own, not {loss_type!r}: "
            "it is of a VAETrainer, loss=VAETrainer()."
        )
    return model_loss(model) if loss is None else as_loss(loss)


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
    return own_loss_type(model) if loss is None or isinstance(model, VQVAE) else loss_type or "mse"


def compiled_step(model: nnx.Module, optimizer: nnx.Optimizer[Any], loss: Loss) -> InPlace:
    """One step as a compiled function `(batch, step) -> (loss, metrics)`, as `update` gives them.

    The graph of model and optimizer is walked once, not every step; both are changed by each.
    """
    functional = Functional(model, optimizer)

    def run(values: Any, batch: Any, step: Any) -> Any:
        taken, bad_parts = take_finite_step(
            functional, values, lambda model: loss(model, batch, None, step)
        )
        return taken.values, (_refused(bad_parts == 0, taken.loss), taken.metrics)

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
