"""Going through the batches of an epoch, compiled as a whole or one by one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from artifex_compat.generative_models.training.callbacks.events import Events
from artifex_compat.generative_models.training.callbacks.non_finite import (
    NonFiniteError,
    non_finite,
)
from artifex_compat.generative_models.training.data import InMemory
from artifex_compat.generative_models.training.functional import Values
from artifex_compat.generative_models.training.interrupts import Interrupts
from artifex_compat.generative_models.training.program import Outcome, Program
from artifex_compat.generative_models.training.run_state import RunState
from artifex_compat.generative_models.training.steps import PARTS

HostMetrics = dict[str, np.ndarray]
Failure = np.ndarray
"""The first of some steps, as `Outcome` has it."""
Step = Callable[..., Outcome]
"""`(failure, step) -> (failure, metrics)`: a step of training on a batch that it knows."""


def whole_epoch(
    program: Program, data: InMemory, epoch: int, step: int
) -> tuple[Failure, HostMetrics]:
    """An epoch as one compiled scan; how it failed, and the metrics of each batch.

    If something is not finite, it begins again from the same arrays, and looks at each step.
    """
    rows, remaining = program.place(data.rows(epoch))
    before = values = program.training.read()
    failure, metrics = program.no_failure(), []
    if data.full_batches:
        place = program.number(step)
        values, (fine, of_full) = program.epoch.run(before, data, rows, place)
        if not jax.device_get(fine):
            values, (failure, of_full) = program.guarded_epoch.run(
                before, failure, data, rows, place
            )
        metrics.append(of_full)
    if data.remainder:
        place = program.number(step + data.full_batches)
        values, (failure, of_last) = program.of_rows.run(values, failure, data, remaining, place)
        metrics.append(of_last)
    failure, metrics = jax.device_get((failure, metrics))
    program.training.write(values)
    return failure, joined(metrics)


def memory_steps(program: Program, data: InMemory, epoch: int, first: int) -> Iterator[Step]:
    """The steps of an epoch from a batch on."""
    rows, remaining = program.place(data.rows(epoch))
    if data.remainder == 1:
        # Batch normalisation refuses one example: before it is trained on the others.
        program.of_rows.trace(program.no_failure(), data, remaining, program.number(0))
    for index in range(first, data.full_batches):
        place = program.number(index)
        yield lambda failure, step, place=place: program.numbered(failure, data, rows, place, step)
    if data.remainder and first <= data.full_batches:
        yield lambda failure, step: program.of_rows(failure, data, remaining, step)


def stream_steps(program: Program, batches: Iterable[Any], first: int) -> Iterator[Step]:
    """The same for batches as they come; those before the first are passed over."""
    for index, batch in enumerate(batches):
        if index >= first:
            placed = program.place(batch)
            yield lambda failure, step, placed=placed: program.step(failure, placed, step)


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
        NonFiniteError: a step was not finite.
    """
    if isinstance(source, InMemory):
        if whole and state.batch == 0:
            failed, metrics = whole_epoch(program, source, state.epoch, state.step)
            state.step += source.batches
            check(state, metrics, failed)
            state.batch, state.metrics = source.batches, [metrics]
            return metrics
        steps = memory_steps(program, source, state.epoch, state.batch)
    else:
        steps = stream_steps(program, source, state.batch)
    failure, began = program.no_failure(), state.step - state.batch
    try:
        for take in interrupts.waiting(steps):
            events.tell("on_batch_begin", state.batch)
            failure, terms = take_step(program, state, take, failure)
            state.metrics.append(terms)
            state.batch += 1
            events.tell("on_batch_end", state.batch - 1, terms)
        if not state.metrics:
            raise ValueError("data must have at least one batch an epoch, and there is none.")
        failed, metrics = jax.device_get((failure, state.metrics))
        return check(state, joined(metrics), failed)
    except NonFiniteError:
        # What was saved goes on with the batch that was refused.
        state.batch = state.step - began
        del state.metrics[state.batch :]
        raise


def take_step(program: Program, state: RunState, take: Step, failure: jax.Array) -> Outcome:
    """Take one step, and count it."""
    program.failure, terms = take(failure, program.number(state.step))
    state.step += 1
    return program.failure, terms


def check(state: RunState, metrics: HostMetrics, failure: Failure) -> HostMetrics:
    """Go back to the first step that was not finite, if there is one; `state` is after it.

    Args:
        state: the counts of the run.
        metrics: of the last steps, `[steps]`.
        failure: of them, as `Outcome` has it.

    Raises:
        NonFiniteError: there is one.
    """
    bad_step, bits = map(int, failure)
    if bad_step >= 0:
        back, state.step = state.step - bad_step, bad_step
        of_step = {name: values[-back] for name, values in metrics.items()}
        parts = [part for place, part in enumerate(PARTS) if bits >> place & 1]
        raise non_finite(of_step, parts, bad_step)
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
