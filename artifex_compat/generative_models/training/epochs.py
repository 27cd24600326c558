"""Going through the batches of an epoch, compiled as a whole or one by one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from artifex_compat.generative_models.training.data import InMemory
from artifex_compat.generative_models.training.functional import Values
from artifex_compat.generative_models.training.program import Metrics, Program

HostMetrics = dict[str, np.ndarray]


def whole_epoch(program: Program, data: InMemory, epoch: int, step: int) -> HostMetrics:
    """An epoch as one compiled scan; the metrics of each batch."""
    live, fine, metrics = program.training, program.place(np.True_), []
    if data.full_batches:
        values, fine, of_full = program.epoch(
            live.release(), fine, data, program.number(epoch), program.number(step)
        )
        live.write(values)
        metrics.append(of_full)
    if data.remainder:
        place = program.number(step + data.full_batches)
        values, _, of_last = program.remainder(
            live.read(), fine, data, program.number(epoch), place
        )
        live.write(values)
        metrics.append(of_last)
    return joined(jax.device_get(metrics))


def memory_steps(
    program: Program, data: InMemory, epoch: int, first: int
) -> Iterator[Callable[..., tuple[Values, jax.Array, Metrics]]]:
    """The steps of an epoch from a batch on: functions `(values, fine, step)`."""
    rows = jax.jit(InMemory.full_rows)(data, program.number(epoch))
    for index in range(first, data.full_batches):
        place = program.number(index)
        yield lambda values, fine, step, place=place: program.numbered(
            values, fine, data, rows, place, step
        )
    if data.remainder:
        yield lambda values, fine, step: program.remainder(
            values, fine, data, program.number(epoch), step
        )


def stream_steps(
    program: Program, batches: Iterable[Any], first: int
) -> Iterator[Callable[..., tuple[Values, jax.Array, Metrics]]]:
    """The same for batches as they come; those before the first are passed over."""
    for index, batch in enumerate(batches):
        if index >= first:
            placed = program.place(batch)
            yield lambda values, fine, step, placed=placed: program.step(values, fine, placed, step)


def joined(parts: list[Any]) -> HostMetrics:
    """Metrics of some batches, one after another, `[batches]` each."""
    names = parts[0] if parts else {}
    return {
        name: np.concatenate([np.atleast_1d(np.asarray(part[name])) for part in parts])
        for name in names
    }


def means(metrics: HostMetrics) -> dict[str, float]:
    """The mean of each metric over its batches."""
    return {name: float(np.mean(values, dtype=np.float64)) for name, values in metrics.items()}


def evaluated(program: Program, values: Values, source: Any, step: int) -> dict[str, float]:
    """Means of the metrics over all examples, in evaluation mode.

    Args:
        program: what is compiled.
        values: the arrays of the model.
        source: data in memory, or an iterable of batches.
        step: the step at which the loss is taken.

    Raises:
        ValueError: there are no examples.
    """
    place, parts = program.number(step), []
    if isinstance(source, InMemory):
        if source.full_batches:
            metrics = program.evaluate(values, source, place)
            parts.append((metrics, source.batch_size * source.full_batches))
        if source.remainder:
            batch = source.take(source.remaining_rows(program.number(0)))
            parts.append((program.evaluate_batch(values, batch, place), source.remainder))
    else:
        for batch in source:
            count = int(jax.tree.leaves(batch)[0].shape[0])
            placed = program.place(batch)
            parts.append((program.evaluate_batch(values, placed, place), count))
    examples = sum(count for _, count in parts)
    if not examples:
        raise ValueError("data must have at least one example, and there is none.")
    host = [(jax.device_get(metrics), count) for metrics, count in parts]
    return {
        name: sum(float(metrics[name]) * count for metrics, count in host) / examples
        for name in host[0][0]
    }
