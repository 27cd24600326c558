"""The trainer: epochs over data, with callbacks and checkpoints."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
from flax import nnx
from jax.sharding import Mesh

from artifex_compat.generative_models.core.configuration.checks import count, flag
from artifex_compat.generative_models.training import data as sources
from artifex_compat.generative_models.training import epochs, warmup
from artifex_compat.generative_models.training.batches import check_data
from artifex_compat.generative_models.training.callbacks.events import Events
from artifex_compat.generative_models.training.checkpoints import CheckpointStore
from artifex_compat.generative_models.training.interrupts import Interrupts
from artifex_compat.generative_models.training.program import Program
from artifex_compat.generative_models.training.run_state import RunState
from artifex_compat.generative_models.training.saving import Saving
from artifex_compat.generative_models.training.steps import loss_of, read_loss_type
from artifex_compat.generative_models.training.trainers.vae_trainer import VAETrainer
from edifice_py.checks import FLOATS, choice, named, positive_int

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
        callbacks: what hears of the run, in this order: objects with methods of `Callback`.
        seed: with the epoch it names the order of the examples, with the step the loss' key.
        loss_type: that of a `VAETrainer`, its own default where not given.
        drop_remainder: leave out a batch that is smaller than the others, at the end of an epoch;
            True where not given. An iterable's batches are all taken.
        mode: "epoch" or "step", chosen by data and callbacks where not given.
        mesh: devices to spread each batch over, along its first axis.
        compute_dtype: type that layers compute in, like `jax.numpy.bfloat16`; parameters, optimizer
            and losses stay in float32.

    Attributes:
        state: where the run stands: its step, its epoch, its history.

    Raises:
        TypeError, ValueError: an argument is not what it must be.
    """

    @named
    def __init__(
        self,
        model: nnx.Module,
        optimizer: nnx.Optimizer[Any],
        loss: VAETrainer | Callable[..., Any] | None = None,
        *,
        callbacks: Sequence[Any] = (),
        seed: int = 0,
        loss_type: str | None = None,
        drop_remainder: bool | None = None,
        mode: str | None = None,
        mesh: Mesh | None = None,
        compute_dtype: Any = None,
    ) -> None:
        if not isinstance(model, nnx.Module):
            raise TypeError(f"model must be an nnx.Module, not {model!r}.")
        if not isinstance(optimizer, nnx.Optimizer):
            raise TypeError(f"optimizer must be an nnx.Optimizer, not {optimizer!r}.")
        if not isinstance(mesh, Mesh | None):
            raise TypeError(f"mesh must be a jax.sharding.Mesh, not {mesh!r}.")
        if compute_dtype is not None:
            choice("compute_dtype", getattr(compute_dtype, "__name__", str(compute_dtype)), FLOATS)
        self.model, self.optimizer, self.loss = model, optimizer, loss
        minimized = loss_of(model, loss, loss_type)
        self._check_data = partial(check_data, model, read_loss_type(model, loss, loss_type))
        keeps_all = drop_remainder is not None and not flag("drop_remainder", drop_remainder)
        self.seed, self.drop_remainder = count("seed", seed), not keeps_all
        # What only data in memory have, where the user gave it.
        self._of_memory = {"drop_remainder": drop_remainder or None, "mode": mode}
        self._events = Events(self, callbacks)
        by_batch = self._events.of_batches
        self.mode = choice(
            "mode", ("step" if by_batch else "epoch") if mode is None else mode, MODES
        )
        if by_batch and self.mode == "epoch":
            raise ValueError("mode must be 'step' for callbacks that hear of batches, not 'epoch'.")
        self.state = RunState()
        self._interrupts, self._warned_of_warmup = Interrupts(), False
        model.train()  # type: ignore[no-untyped-call]
        places = {"mesh": mesh, "compute_dtype": compute_dtype}
        self._program = Program(model, optimizer, minimized, seed=self.seed, **places)
        self._saving = Saving(self._program.training, self._events, self.seed)

    @property
    def should_stop(self) -> bool:
        """Whether the run ends after the epoch; a callback sets it."""
        return self.state.stopped

    @should_stop.setter
    def should_stop(self, value: bool) -> None:
        self.state.stopped = bool(value)

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
        """Steps until the loss first has the weights that it ends with, 0 for no warm-up.

        That is the KL's weight, or the capacity of a `BetaVAEWithCapacity`; a VQ-VAE has neither,
        and of a user's loss no warm-up is known.
        """
        return warmup.warmup_steps(self.loss, self.model)

    @named
    def train(
        self,
        train_data: Any,
        num_epochs: int,
        batch_size: int | None = None,
        *,
        val_data: Any = None,
        shuffle: bool | None = None,
    ) -> list[dict[str, Any]]:
        """Train for some epochs more, or, after `restore`, go on with the call that was cut off.

        Ctrl-C ends the run after the batch, or the compiled epoch, where model and counts agree.
        `ModelCheckpoint` saves it before `KeyboardInterrupt` is raised; a second Ctrl-C raises it
        at once. SIGTERM does the same where its handler is `signal.default_int_handler`.

        Args:
            train_data: an array or a dictionary of arrays, `[examples, ...]`; or an iterable of
                batches, which is gone through once an epoch.
            num_epochs: how many; after `restore`, those of the whole call that was cut off. A run
                that has as many already trains none, and warns.
            batch_size: examples in a batch, for arrays, and only for them.
            val_data: data of the same kind, evaluated after each epoch with the weights that the
                loss has at the end of its warm-up.
            shuffle: take the examples of arrays in another order each epoch; True where not given.

        Returns:
            `history`.

        Raises:
            TypeError, ValueError: the data or a number are not what they must be.
            KeyError: a batch has no data, or a callback watches a metric that there is not.
            NonFiniteError: a step was not finite; the model is that of the last good step.
        """
        positive_int("num_epochs", num_epochs)
        seed = self.seed if shuffle is None or flag("shuffle", shuffle) else None
        source = self._source(train_data, batch_size, seed, drop_remainder=self.drop_remainder)
        val_source = None if val_data is None else self._source(val_data, batch_size)
        if not isinstance(source, sources.InMemory):
            in_batches = not isinstance(val_source, sources.InMemory)
            only_in_memory = {"shuffle": shuffle or None, **self._of_memory}
            sources.refuse_options(only_in_memory, batch_size if in_batches else None)
        state, whole = self.state, self.mode == "epoch"
        more = state.begin(num_epochs, getattr(source, "batch_size", None))
        one_epoch = partial(epochs.one_epoch, self._program, state, source)
        self._program.settle()
        with self._interrupts, self._events.run():
            try:
                while more and state.has_epochs:
                    epoch = state.epoch
                    self._events.tell("on_epoch_begin", epoch)
                    logs = epochs.means(one_epoch(self._events, self._interrupts, whole=whole))
                    self._interrupts.check()
                    if val_source is not None:
                        logs |= self._validate(val_source)
                    state.end_epoch(logs)
                    self._events.tell("on_epoch_end", epoch, logs)
                    self._interrupts.check()
            except KeyboardInterrupt:
                if self._interrupts.received < 2:
                    self._events.tell("on_stop")
                raise
            if more:
                self._end()
        return self.history

    @named
    def evaluate(self, data: Any, batch_size: int | None = None) -> Logs:
        """The means of the metrics over all examples, in evaluation mode; nothing changes.

        The loss has the weights of the end of its warm-up, as in validation.

        Args:
            data: as in `train`; a remainder is evaluated too.
            batch_size: examples in a batch, for arrays, and only for them.

        Raises:
            TypeError, ValueError, KeyError: the data are not what they must be.
        """
        source = self._source(data, batch_size)
        if not isinstance(source, sources.InMemory):
            sources.refuse_options({}, batch_size)
        return self._evaluate(source)

    @named
    def train_step(self, batch: Any) -> Logs:
        """One step on a batch: its metrics, before the update.

        Raises:
            KeyError: the batch has no data.
            NonFiniteError: the step was not finite; the model is as before.
        """
        if not self.step:
            self._check_data(batch)
        (take,) = epochs.stream_steps(self._program, [batch], 0)
        _, terms = epochs.take_step(self._program, self.state, take, self._program.no_failure())
        host = epochs.joined([jax.device_get(terms)])
        self.check(host)
        return epochs.means(host)

    @named
    def save(self, store: CheckpointStore, score: float | None = None) -> None:
        """Write a checkpoint of the run as it stands.

        Called by a callback, it writes when all callbacks have heard of the event.

        Args:
            store: where to. Checkpoints of another run are moved to a folder beside it.
            score: by which the best are kept.

        Raises:
            CheckpointError: it cannot be written.
            TypeError: a callback has a state that JSON cannot hold.
        """
        self._events.afterwards(lambda: self._saving.save(store, self.state, score))

    @named
    def restore(
        self, folder: str | Path, step: int | str | None = None, *, weights_only: bool = False
    ) -> int:
        """Go back to the newest checkpoint of a folder that is whole; `train` goes on from there.

        When the run saves there again, the checkpoints after the one restored are removed.

        Args:
            folder: where a `ModelCheckpoint` saved.
            step: go back to the checkpoint of this step, or to the "best", not to the newest.
            weights_only: take the arrays of the model alone, for a new run of any optimizer, seed
                and callbacks: the optimizer's state is made anew, and `train` begins at step 0.

        Returns:
            The step of the checkpoint.

        Raises:
            CheckpointError: there is none that is whole and of such a model.
            ValueError: the run that was saved had another seed, or `step` is none.
        """
        if flag("weights_only", weights_only):
            found = self._saving.restore_weights(folder, step, self.optimizer, self.model)
            self.state = RunState()
        else:
            found, self.state = self._saving.restore(folder, step)
        return found

    def check(self, metrics: epochs.HostMetrics) -> epochs.HostMetrics:
        """Refuse the last steps if one was not finite; `step` is then at the first of them.

        Args:
            metrics: those of the last steps, `[steps]`.

        Raises:
            NonFiniteError: one was not.
        """
        return epochs.check(self.state, metrics, jax.device_get(self._program.failure))

    def _end(self) -> None:
        """Tell callbacks that the run has come to its end."""
        self._events.tell("on_stop")
        short = self._events.compare_epochs and self.step < self.warmup_steps
        if short and not self._warned_of_warmup:
            self._warned_of_warmup = True
            warmup.warn_of_short_run(self.step, self.warmup_steps)

    def _validate(self, source: Any) -> Logs:
        self._events.tell("on_validation_begin")
        logs = {f"val_{name}": value for name, value in self._evaluate(source).items()}
        self._events.tell("on_validation_end", logs)
        return logs

    def _evaluate(self, source: Any) -> Logs:
        values = self._program.model_values(self._program.training.read())
        step = warmup.evaluation_step(self.loss, self.model, self.step)
        if not isinstance(source, sources.InMemory):
            source = self._interrupts.waiting(source)
        return epochs.evaluated(self._program, values, source, step)

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
