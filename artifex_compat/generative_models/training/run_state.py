"""The counts, history and metrics of a run, beside its arrays."""

import math
import warnings
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np


@dataclass
class RunState:
    """The counts, history and metrics of a run.

    Attributes:
        step: steps taken.
        epoch: epochs finished.
        batch: batches taken of the epoch that is not finished.
        batch_size: examples in each, None where they come as batches.
        first_epoch: the epoch that the last call of `train` began with.
        last_epoch: the epoch that it ends before.
        stopped: whether a callback ends the run after the epoch.
        history: a row for each epoch.
        metrics: metrics of the batches of the epoch that is not finished, of JAX or numpy.
        restored: whether it was read, and has not gone on yet.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    batch_size: int | None = None
    first_epoch: int = 0
    last_epoch: int = 0
    stopped: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    restored: bool = False

    @property
    def has_epochs(self) -> bool:
        """Whether the call of `train` has epochs left, or a part of one."""
        return self.epoch < self.last_epoch and (self.batch > 0 or not self.stopped)

    def begin(self, num_epochs: int, batch_size: int | None) -> bool:
        """Set which epochs a call of `train` goes through; whether there are any.

        Raises:
            ValueError: an epoch that was cut off had batches of another size.
        """
        if self.restored and self.batch and batch_size != self.batch_size:
            raise ValueError(
                f"batch_size must be that of the epoch that was cut off, {self.batch_size}, "
                f"not {batch_size}."
            )
        self.batch_size = batch_size
        if not self.restored:
            self.first_epoch, self.last_epoch = self.epoch, self.epoch + num_epochs
            # What is left of an epoch that was cut off is of the data of another call.
            self.batch, self.metrics, self.stopped = 0, [], False
            return True
        last, done = self.first_epoch + num_epochs, self.epoch - self.first_epoch
        ended = self.stopped and not self.batch and last <= self.last_epoch
        if ended or num_epochs <= done:
            reason = "a callback ended it there" if ended else f"num_epochs is {num_epochs}"
            warnings.warn(
                f"nothing is trained: the run that was restored has {done} epochs, and {reason}; "
                "num_epochs counts those of the whole run, so that a larger one goes on.",
                stacklevel=4,
            )
            return False
        self.stopped = self.stopped and last <= self.last_epoch
        self.restored, self.last_epoch = False, last
        return True

    def to_facts(self) -> dict[str, Any]:
        """All of it, as JSON can hold it: a number that is not finite is its name."""
        facts = {item.name: getattr(self, item.name) for item in fields(self)}
        metrics = [
            {
                name: list(map(_written, np.atleast_1d(values).tolist()))
                for name, values in part.items()
            }
            for part in self.metrics
        ]
        history = [{name: _written(value) for name, value in row.items()} for row in self.history]
        return facts | {"history": history, "metrics": metrics, "restored": True}

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "RunState":
        """What `to_facts` gave."""
        metrics = [
            {name: np.array(list(map(float, values)), np.float32) for name, values in part.items()}
            for part in facts["metrics"]
        ]
        history = [{name: _read(value) for name, value in row.items()} for row in facts["history"]]
        every = {item.name: facts[item.name] for item in fields(cls)}
        return cls(**every | {"history": history, "metrics": metrics})

    def end_epoch(self, logs: dict[str, float]) -> None:
        """Note a finished epoch."""
        self.history.append({"epoch": self.epoch, "step": self.step, **logs})
        self.epoch, self.batch, self.metrics = self.epoch + 1, 0, []


def _written(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _read(value: float | str) -> float:
    return float(value) if isinstance(value, str) else value
