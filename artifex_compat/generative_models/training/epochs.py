"""Going through the batches of an epoch, compiled as a whole or one by one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from artifex_compat.generative_models.training.callbacks.events import Events
from artifex_compat.generative_models.training.callbacks.non_finite import check_finite
from artifex_compat.generative_models.training.data import InMemory
from artifex_compat.generative_models.training.functional import Values
from artifex_compat.generative_models.training.interrupts import Interrupts
from artifex_compat.generative_models.training.program import Fine, Program
from artifex_compat.generative_models.training.run_state import RunState

HostMetrics = dict[str, np.ndarray]
Step = Callable[..., Fine]
"""`(fine, step) -> (fine, metrics)`: a step of training on a batch that it knows."""


def whole_epoch(program: Program, data: InMemory, epoch: int, step: int) -> HostMetrics:
    """An epoch as one compiled scan; the metrics of each batch."""
    rows, remaining = program.place(data.rows(epoch))
    fine, metrics = program.place(np.True_), []
    if data.full_batches:
        fine, of_full = program.epoch(fine, data, rows, program.number(step))
        metrics.append(of_full)
    if data.remainder:
        place = program.number(step + data.full_batches)
        _, of_last = program.of_rows(fine, data, remaining, place)
        metrics.append(of_last)
    return joined(jax.device_get(metrics))


def memory_steps(program: Program, data: InMemory, epoch: int, first: int) -> Iterator[Step]:
    """The steps of an epoch from a batch on."""
    rows, remaining = program.place(data.rows(epoch))
    for index in range(first, data.full_batches):
        place = program.number(index)
        yield lambda fine, step, place=place: program.numbered(fine, data, rows, place, step)
    if data.remainder and first <= data.full_batches:
        yield lambda fine, step: program.of_rows(fine, data, remaining, step)


def stream_steps(program: Program, batches: Iterable[Any], first: int) -> Iterator[Step]:
    """The same for batches as they come; those before the first are passed over."""
    for index, batch in enumerate(batches):
        if index >= first:
            placed = program.place(batch)
            yield lambda fine, step, placed=placed: program.step(fine, placed, step)


def one_epoch(
    program: Program,
    state: RunState,
    source: Any,
    events: Events,
    interrupts: Interrupts,
    *,
    whole: bool,
) -> HostMetrics:
    """Go through an epoch, or what is left of it.

    Args:
        program: what is compiled.
        state: the counts of the run, which follow.
        source: data in memory, or an iterable of batches.
        events: who hears of the batches.
        interrupts: what comes between them.
        whole: compile the epoch as a whole, where the data are in memory.

    Returns:
        The metrics of all its batches.

    Raises:
        ValueError: there are no batches.
        NonFiniteError: a metric is not finite.
    """
    if isinstance(source, InMemory):
        if whole and state.batch == 0:
            metrics = whole_epoch(program, source, state.epoch, state.step)
            state.step += source.batches
            check(state, metrics)
            state.batch, state.metrics = source.batches, [metrics]
            return metrics
        steps = memory_steps(program, source, state.epoch, state.batch)
    else:
        steps = stream_steps(program, source, state.batch)
    fine = program.place(np.True_)
    for take in interrupts.waiting(steps):
        events.tell("on_batch_begin", state.batch)
        fine, terms = take_step(program, state, take, fine)
        state.metrics.append(terms)
        state.batch += 1
        events.tell("on_batch_end", state.batch - 1, terms)
    if not state.metrics:
        raise ValueError("data must have at least one batch an epoch, and there is none.")
    return check(state, joined(jax.device_get(state.metrics)))


def take_step(program: Program, state: RunState, take: Step, fine: jax.Array) -> Fine:
    """Take one step, and count it."""
    taken = take(fine, program.number(state.step))
    state.step += 1
    return taken


def check(state: RunState, metrics: HostMetrics) -> HostMetrics:
    """Refuse metrics of the last steps that are not finite, `[steps]`; `step` is at the first.

    Raises:
        NonFiniteError: one is not.
    """
    good = np.all([np.isfinite(values) for values in metrics.values()], axis=0)
    if not good.all():
        first = int(np.argmin(good))
        state.step -= len(good) - first
        check_finite({name: values[first] for name, values in metrics.items()}, state.step)
    return metrics


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
        rows, remaining = program.place(source.rows(0))
        if source.full_batches:
            metrics = program.evaluate(values, source, rows, place)
            parts.append((metrics, source.batch_size * source.full_batches))
        if source.remainder:
            batch = source.take(remaining)
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
