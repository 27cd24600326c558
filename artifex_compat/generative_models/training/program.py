"""What is compiled for a run: an epoch of training as one scan, a single step, an evaluation."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from artifex_compat.generative_models.training.data import InMemory
from artifex_compat.generative_models.training.functional import Functional, InPlace, Values
from artifex_compat.generative_models.training.metrics import Scalars, scalars
from artifex_compat.generative_models.training.placement import everywhere, place
from artifex_compat.generative_models.training.steps import (
    Loss,
    all_finite,
    seem_finite,
    stays_finite,
    take_finite_step,
    take_step,
)

Metrics = dict[str, jax.Array]
Outcome = tuple[jax.Array, Metrics]
"""The first failure, and the metrics of the steps.

A failure is int32 `[2]`: the step, -1 for none, and the bits that `take_finite_step` returns.
"""
Taken = tuple[Values, Outcome]
"""The arrays after a step, and its outcome."""


class Program:
    """The compiled functions of one model, optimizer and loss.

    A step whose loss, terms, new parameters or new optimizer state are not finite changes nothing,
    and no step after it does. A whole epoch is looked at when it is over, which costs nothing, and
    is repeated by such steps if it failed.

    Args:
        model: what is trained, in training mode.
        optimizer: its optimizer.
        loss: what is minimized.
        seed: of the keys that the loss is given, one a step.
        mesh: batches are spread over its first axis, and all else is on each of its devices.
        compute_dtype: layers compute in it; parameters and losses stay as they are.
    """

    def __init__(
        self,
        model: nnx.Module,
        optimizer: nnx.Optimizer[Any],
        loss: Loss,
        *,
        seed: int,
        mesh: Mesh | None = None,
        compute_dtype: Any = None,
    ) -> None:
        self.training = Functional(model, optimizer)
        evaluated = nnx.clone(model)
        evaluated.eval()  # type: ignore[no-untyped-call]
        self._evaluation = Functional(evaluated)
        places = {path: index for index, path in enumerate(self.training.paths)}
        self._of_model = [places[0, *path[1:]] for path in self._evaluation.paths]
        self._loss, self._seed = loss, seed
        self._mesh, self._compute_dtype = mesh, compute_dtype
        self.everywhere = everywhere(mesh)
        self.failure = self.no_failure()
        self.epoch = InPlace(self.training, self._epoch)
        self.guarded_epoch = InPlace(self.training, self._guarded_epoch)
        self.numbered = InPlace(self.training, self._numbered)
        self.of_rows = InPlace(self.training, self._of_rows)
        self.step = InPlace(self.training, self._step)
        self.evaluate = jax.jit(self._evaluate)
        self.evaluate_batch = jax.jit(self._evaluate_batch)

    def place(self, tree: Any) -> Any:
        """Arrays where parameters and data are: on every device of the mesh."""
        return place(tree, self.everywhere)

    def settle(self) -> None:
        """Put the arrays of model and optimizer where they are trained."""
        if self._mesh is not None:
            self.training.write(self.place(self.training.read()))

    def number(self, value: int) -> jax.Array:
        """A number where a compiled function takes it without another transfer."""
        return place(np.int32(value), self.everywhere)

    def no_failure(self) -> jax.Array:
        """That no step failed."""
        return place(np.array([-1, 0], np.int32), self.everywhere)

    def model_values(self, values: Values) -> Values:
        """Those of all arrays that are the model's."""
        return [values[index] for index in self._of_model]

    def _epoch(
        self, values: Values, data: InMemory, rows: jax.Array, step: jax.Array
    ) -> tuple[Values, tuple[jax.Array, Metrics]]:
        """The full batches of an epoch, by their rows; whether all stayed finite, and the metrics.

        Metrics are `[full_batches]`.
        """

        def body(carry: Any, rows: jax.Array) -> Any:
            values, step = carry
            taken = take_step(self.training, values, self._loss_of(data.take(rows), step))
            return (taken.values, step + 1), taken.terms

        (new, _), terms = lax.scan(body, (values, step), rows)
        fine = lax.cond(
            seem_finite(new),
            lambda: jnp.array(True),
            lambda: stays_finite(zip(values, new, strict=True)),
        )
        return new, (fine & all_finite(terms.values), terms.named())

    def _guarded_epoch(
        self, values: Values, failure: jax.Array, data: InMemory, rows: jax.Array, step: jax.Array
    ) -> Taken:
        """The same, up to the first step that is not finite."""

        def body(carry: Any, rows: jax.Array) -> Any:
            values, failure, step = carry
            values, failure, terms = self._taken(values, failure, data.take(rows), step)
            return (values, failure, step + 1), terms

        (values, failure, _), terms = lax.scan(body, (values, failure, step), rows)
        return values, (failure, terms.named())

    def _numbered(
        self,
        values: Values,
        failure: jax.Array,
        data: InMemory,
        rows: jax.Array,
        number: jax.Array,
        step: jax.Array,
    ) -> Taken:
        """One full batch of an epoch, by the rows of all and its number."""
        return self._of_rows(values, failure, data, rows[number], step)

    def _of_rows(
        self, values: Values, failure: jax.Array, data: InMemory, rows: jax.Array, step: jax.Array
    ) -> Taken:
        """One batch, by its rows."""
        return self._step(values, failure, data.take(rows), step)

    def _step(self, values: Values, failure: jax.Array, batch: Any, step: jax.Array) -> Taken:
        """One batch."""
        values, failure, terms = self._taken(values, failure, batch, step)
        return values, (failure, terms.named())

    def _taken(
        self, values: Values, failure: jax.Array, batch: Any, step: jax.Array
    ) -> tuple[Values, jax.Array, Scalars]:
        """A step, if it and all before are finite."""
        allowed = failure[0] < 0
        taken, bad_parts = take_finite_step(
            self.training, values, self._loss_of(batch, step), allowed
        )
        fails = allowed & (bad_parts != 0)
        failure = jnp.where(fails, jnp.stack([step, bad_parts]), failure)
        return taken.values, failure, taken.terms

    def _loss_of(self, batch: Any, step: jax.Array) -> Any:
        return lambda model: self._call(model, batch, step)

    def _evaluate(
        self, values: Values, data: InMemory, rows: jax.Array, step: jax.Array
    ) -> Metrics:
        """Means of the metrics over full batches, by their rows."""

        def body(_: None, rows: jax.Array) -> tuple[None, Metrics]:
            return None, self._evaluate_batch(values, data.take(rows), step)

        _, metrics = lax.scan(body, None, rows)
        return jax.tree.map(jnp.mean, metrics)

    def _evaluate_batch(self, values: Values, batch: Any, step: jax.Array) -> Metrics:
        """Metrics of a batch, in evaluation mode; nothing changes."""
        _, (_, metrics) = self._evaluation.call(
            values, lambda model: self._call(model, batch, step)
        )
        return scalars(metrics).named()

    def _call(self, model: Any, batch: Any, step: jax.Array) -> Any:
        if self._mesh is not None:
            spread = NamedSharding(self._mesh, PartitionSpec(self._mesh.axis_names[0]))
            batch = jax.tree.map(lambda x: lax.with_sharding_constraint(x, spread), batch)
        if self._compute_dtype is not None:
            for _, module in nnx.iter_graph(model):
                if isinstance(module, nnx.Module) and hasattr(module, "dtype"):
                    module.dtype = self._compute_dtype
        key = jax.random.fold_in(jax.random.key(self._seed), step)
        return self._loss(model, batch, key, step)
