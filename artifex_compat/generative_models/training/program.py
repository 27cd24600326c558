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
from artifex_compat.generative_models.training.steps import Loss, step_if_finite

Metrics = dict[str, jax.Array]
Outcome = tuple[jax.Array, Metrics]
"""The first step that was not finite, -1 for none; and the metrics."""
Taken = tuple[Values, Outcome]
"""The arrays after a step, and its outcome."""


class Program:
    """The compiled functions of one model, optimizer and loss.

    A step whose loss or one of its terms is not finite changes nothing, and no step after it does.

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
        self.bad_step = self.number(-1)
        self.epoch = InPlace(self.training, self._epoch)
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
            # What is put on a mesh may keep the memory of where it was.
            values = self.training.join(*self.training.release())
            self.training.write(self.place(values))

    def number(self, value: int) -> jax.Array:
        """A number where a compiled function takes it without another transfer."""
        return place(np.int32(value), self.everywhere)

    def model_values(self, values: Values) -> Values:
        """Those of all arrays that are the model's."""
        return [values[index] for index in self._of_model]

    def _epoch(
        self, values: Values, bad: jax.Array, data: InMemory, rows: jax.Array, step: jax.Array
    ) -> Taken:
        """The full batches of an epoch, by their rows; metrics are `[full_batches]`."""

        def body(carry: Any, rows: jax.Array) -> Any:
            values, bad, step = carry
            values, bad, terms = self._taken(values, bad, data.take(rows), step)
            return (values, bad, step + 1), terms

        (values, bad, _), terms = lax.scan(body, (values, bad, step), rows)
        return values, (bad, terms.named())

    def _numbered(
        self,
        values: Values,
        bad: jax.Array,
        data: InMemory,
        rows: jax.Array,
        number: jax.Array,
        step: jax.Array,
    ) -> Taken:
        """One full batch of an epoch, by the rows of all and its number."""
        return self._of_rows(values, bad, data, rows[number], step)

    def _of_rows(
        self, values: Values, bad: jax.Array, data: InMemory, rows: jax.Array, step: jax.Array
    ) -> Taken:
        """One batch, by its rows."""
        return self._step(values, bad, data.take(rows), step)

    def _step(self, values: Values, bad: jax.Array, batch: Any, step: jax.Array) -> Taken:
        """One batch."""
        values, bad, terms = self._taken(values, bad, batch, step)
        return values, (bad, terms.named())

    def _taken(
        self, values: Values, bad: jax.Array, batch: Any, step: jax.Array
    ) -> tuple[Values, jax.Array, Scalars]:
        """A step, if all is finite."""
        values, good, (_, _, terms) = step_if_finite(
            self.training, values, lambda model: self._call(model, batch, step), bad < 0
        )
        return values, jnp.where(good | (bad >= 0), bad, step), terms

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
