"""The trainer: epochs over data, with callbacks and checkpoints."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax.sharding import Mesh

from artifex_compat.generative_models.core.configuration.checks import count
from artifex_compat.generative_models.training import data as sources
from artifex_compat.generative_models.training import epochs
from artifex_compat.generative_models.training.batches import check_data
from artifex_compat.generative_models.training.callbacks.events import Events
from artifex_compat.generative_models.training.callbacks.non_finite import check_finite
from artifex_compat.generative_models.training.checkpoints import (
    CheckpointStore,
    from_host,
    to_host,
)
from artifex_compat.generative_models.training.program import Fine, Program
from artifex_compat.generative_models.training.run_state import RunState
from artifex_compat.generative_models.training.steps import loss_of, read_loss_type
from artifex_compat.generative_models.training.trainers.vae_trainer import VAETrainer
from edifice_py.checks import choice, positive_int

Logs = dict[str, float]
MODES = ("epoch", "step")


class Trainer:
    """Trains a model by epochs.

    An epoch is one compiled scan over data that are on the device; where a callback hears of
    single batches, or the data are an iterable, it is one compiled step after another. Both give
    the same numbers. Model and optimizer are put in training mode and read once, here, and hold
    the trained arrays after every epoch.

    Args:
        model: what is trained.
        optimizer: its `nnx.Optimizer`; schedules, clipping and accumulation are optax's.
        loss: a `VAETrainer`; or a function `(model, batch, rng)` or `(model, batch, rng, step)`
            that gives the loss, or the loss and a dictionary of metrics. The model's own `loss_fn`
            where not given.
        callbacks: what hears of the run, in this order.
        seed: with the epoch it names the order of the examples, with the step the loss' key.
        loss_type: that of a `VAETrainer`.
        drop_remainder: leave out a batch that is smaller than the others, at the end of an epoch.
        mode: "epoch" or "step", chosen by the callbacks where not given.
        mesh: devices to spread each batch over, along its first axis.
        compute_dtype: type that layers compute in, like `jax.numpy.bfloat16`; parameters, optimizer
            and losses stay in float32.

    Attributes:
        state: where the run stands: its step, its epoch, its history.
        should_stop: a callback sets it to end the run after the epoch.

    Raises:
        TypeError, ValueError: an argument is not what it must be.
    """

    def __init__(
        self,
        model: nnx.Module,
        optimizer: nnx.Optimizer[Any],
        loss: VAETrainer | Callable[..., Any] | None = None,
        *,
        callbacks: Sequence[Any] = (),
        seed: int = 0,
        loss_type: str = "mse",
        drop_remainder: bool = True,
        mode: str | None = None,
        mesh: Mesh | None = None,
        compute_dtype: Any = None,
    ) -> None:
        if not isinstance(model, nnx.Module):
            raise TypeError(f"model must be an nnx.Module, not {model!r}.")
        if not isinstance(optimizer, nnx.Optimizer):
            raise TypeError(f"optimizer must be an nnx.Optimizer, not {optimizer!r}.")
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self._check_data = partial(check_data, model, read_loss_type(model, loss, loss_type))
        self.seed, self.drop_remainder = count("seed", seed), drop_remainder
        self._events = Events(self, callbacks)
        by_batch = self._events.of_batches
        self.mode = choice("mode", mode or ("step" if by_batch else "epoch"), MODES)
        if by_batch and self.mode == "epoch":
            raise ValueError("mode must be 'step' for callbacks that hear of batches, not 'epoch'.")
        self.state = RunState()
        self.should_stop = False
        self._resumed = False
        model.train()  # type: ignore[no-untyped-call]
        minimized, places = loss_of(loss, loss_type), {"mesh": mesh, "compute_dtype": compute_dtype}
        self._program = Program(model, optimizer, minimized, seed=self.seed, **places)

    @property
    def step(self) -> int:
        """Steps taken so far."""
        return self.state.step

    @property
    def epoch(self) -> int:
        """Epochs finished so far."""
        return self.state.epoch

    @property
    def history(self) -> list[dict[str, Any]]:
        """A row for each epoch: `epoch`, `step`, and the means of its metrics."""
        return self.state.history

    @property
    def warmup_steps(self) -> int:
        """Steps until the KL has its full weight, 0 where the loss is no `VAETrainer`."""
        return self.loss.warmup_steps if isinstance(self.loss, VAETrainer) else 0

    def train(
        self,
        train_data: Any,
        num_epochs: int,
        batch_size: int | None = None,
        *,
        val_data: Any = None,
        shuffle: bool = True,
    ) -> list[dict[str, Any]]:
        """Train for some epochs more, or, after `restore`, to the end of the run that was cut off.

        Args:
            train_data: an array or a dictionary of arrays, `[examples, ...]`; or an iterable of
                batches, which is gone through once an epoch.
            num_epochs: how many.
            batch_size: examples in a batch, for arrays.
            val_data: data of the same kind, evaluated after each epoch.
            shuffle: take the examples in another order each epoch.

        Returns:
            `history`.

        Raises:
            TypeError, ValueError: the data or a number are not what they must be.
            KeyError: a batch has no data, or a callback watches a metric that there is not.
            NonFiniteError: the loss was not finite; the model is that of the last good step.
        """
        positive_int("num_epochs", num_epochs)
        seed = self.seed if shuffle else None
        source = self._source(train_data, batch_size, seed, drop_remainder=self.drop_remainder)
        val_source = None if val_data is None else self._source(val_data, batch_size)
        state = self.state
        if not self._resumed:
            state.last_epoch = state.epoch + num_epochs
        self._resumed, self.should_stop = False, False
        self._program.settle()
        with self._events.run():
            while state.epoch < state.last_epoch and not self.should_stop:
                epoch = state.epoch
                self._events.tell("on_epoch_begin", epoch)
                logs = epochs.means(self._one_epoch(source, epoch))
                if val_source is not None:
                    logs |= self._validate(val_source)
                state.end_epoch(logs)
                self._events.tell("on_epoch_end", epoch, logs)
        return self.history

    def evaluate(self, data: Any, batch_size: int | None = None) -> Logs:
        """The means of the metrics over all examples, in evaluation mode; nothing changes.

        Args:
            data: as in `train`; a remainder is evaluated too.
            batch_size: examples in a batch, for arrays.

        Raises:
            TypeError, ValueError, KeyError: the data are not what they must be.
        """
        return self._evaluate(self._source(data, batch_size))

    def train_step(self, batch: Any) -> Logs:
        """One step on a batch: its metrics, before the update.

        Raises:
            KeyError: the batch has no data.
            NonFiniteError: the loss was not finite; the model is as before.
        """
        if not self.step:
            self._check_data(batch)
        (take,) = epochs.stream_steps(self._program, [batch], 0)
        _, terms = self._take(take, self._program.place(np.True_))
        host = epochs.joined([jax.device_get(terms)])
        self.check(host)
        return epochs.means(host)

    def save(self, store: CheckpointStore, score: float) -> None:
        """Write a checkpoint of the run as it stands.

        Args:
            store: where to.
            score: by which the best are kept.

        Raises:
            CheckpointError: it cannot be written.
        """
        self.state.metrics = jax.device_get(self.state.metrics)
        callbacks = [callback.state() for callback in self._events.callbacks]
        facts = self.state.to_facts() | {"callbacks": callbacks, "seed": self.seed}
        store.save(self.step, self._arrays(), facts, score)

    def restore(self, folder: str | Path, step: int | None = None) -> int:
        """Go back to the newest checkpoint of a folder that is whole; `train` goes on from there.

        Args:
            folder: where a `ModelCheckpoint` saved.
            step: go back to the checkpoint of this step, not to the newest.

        Returns:
            The step.

        Raises:
            CheckpointError: there is none that is whole and of such a model.
            ValueError: the run that was saved had another seed.
        """
        found, arrays, facts = CheckpointStore(folder).restore(self._arrays(), step)
        if facts["seed"] != self.seed:
            raise ValueError(
                f"seed must be that of the run that was saved, {facts['seed']}, not {self.seed}."
            )
        functional = self._program.training
        live = functional.named()
        functional.write([from_host(arrays[name], like) for name, like in live.items()])
        for callback, saved in zip(self._events.callbacks, facts["callbacks"], strict=False):
            callback.load_state(saved)
        self.state = RunState.from_facts(facts)
        self._resumed = True
        return found

    def check(self, metrics: epochs.HostMetrics) -> epochs.HostMetrics:
        """Refuse metrics that are not finite, `[steps]` of the last steps; `step` is at the first.

        Raises:
            NonFiniteError: one is not.
        """
        good = np.all([np.isfinite(values) for values in metrics.values()], axis=0)
        if not good.all():
            first = int(np.argmin(good))
            self.state.step -= len(good) - first
            check_finite({name: values[first] for name, values in metrics.items()}, self.step)
        return metrics

    def _one_epoch(self, source: Any, epoch: int) -> epochs.HostMetrics:
        """Go through an epoch, or what is left of it; the metrics of all its batches."""
        program, state = self._program, self.state
        if isinstance(source, sources.InMemory):
            if self.mode == "epoch" and state.batch == 0:
                metrics = epochs.whole_epoch(program, source, epoch, state.step)
                state.step += source.batches
                return self.check(metrics)
            steps = epochs.memory_steps(program, source, epoch, state.batch)
        else:
            steps = epochs.stream_steps(program, source, state.batch)
        fine = self._program.place(np.True_)
        for take in steps:
            self._events.tell("on_batch_begin", state.batch)
            fine, terms = self._take(take, fine)
            state.metrics.append(terms)
            state.batch += 1
            self._events.tell("on_batch_end", state.batch - 1, terms)
        if not state.metrics:
            raise ValueError("data must have at least one batch an epoch, and there is none.")
        return self.check(epochs.joined(jax.device_get(state.metrics)))

    def _take(self, take: epochs.Step, fine: jax.Array) -> Fine:
        found = take(fine, self._program.number(self.state.step))
        self.state.step += 1
        return found

    def _validate(self, source: Any) -> Logs:
        self._events.tell("on_validation_begin")
        logs = {f"val_{name}": value for name, value in self._evaluate(source).items()}
        self._events.tell("on_validation_end", logs)
        return logs

    def _evaluate(self, source: Any) -> Logs:
        values = self._program.model_values(self._program.training.read())
        return epochs.evaluated(self._program, values, source, self.step)

    def _source(
        self,
        data: Any,
        batch_size: int | None,
        seed: int | None = None,
        *,
        drop_remainder: bool = False,
    ) -> Any:
        options = {"seed": seed, "drop_remainder": drop_remainder}
        place = self._program.everywhere
        return sources.source(data, batch_size, check=self._check_data, sharding=place, **options)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: to_host(value) for name, value in self._program.training.named().items()}
