"""Ending a run that gets no better."""

import math
import weakref
from dataclasses import dataclass, field
from typing import Any

from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    count,
    flag,
    non_negative,
    one_of,
    text,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.training.callbacks.base import Callback
from artifex_compat.generative_models.training.callbacks.monitor import (
    MODES,
    is_better,
    value_of,
    worst,
)
from artifex_compat.generative_models.training.warmup import in_warmup


@dataclass(frozen=True)
class EarlyStoppingConfig(Config):
    """When a run gets no better.

    Attributes:
        monitor: the metric that is watched.
        min_delta: what counts as better, in units of the metric.
        patience: epochs without a better value before the run ends.
        mode: "min" or "max", which values are better.
        check_finite: end the run where the metric is not finite.
        after_warmup: watch only after the warm-up of the loss, in which it changes by itself.
    """

    monitor: str = field(default="val_loss", metadata=checked(text))
    min_delta: float = field(default=0.0, metadata=checked(non_negative))
    patience: int = field(default=10, metadata=checked(count))
    mode: str = field(default="min", metadata=checked(one_of(MODES)))
    check_finite: bool = field(default=True, metadata=checked(flag))
    after_warmup: bool = field(default=True, metadata=checked(flag))


class EarlyStopping(Callback):
    """Ends the run when a metric has not become better for some epochs.

    Args:
        config: what is watched, and for how long.

    Attributes:
        best_score: the best value so far.
        wait_count: epochs since then.
        stopped_epoch: the epoch that it ended the run after, None if it did not.

    Reference:
        Artifex, VAE Trainer, "Integration with Base Trainer".
    """

    def __init__(self, config: EarlyStoppingConfig | None = None) -> None:
        self.config = EarlyStoppingConfig() if config is None else config
        self._trainer: weakref.ref[Any] | None = None
        self.best_score = worst(self.config.mode)
        self.wait_count = 0
        self.stopped_epoch: int | None = None

    @property
    def compares_epochs(self) -> bool:
        """It does."""
        return True

    def on_train_begin(self, trainer: Any) -> None:
        """Begin anew with another trainer, and wait again where the run was ended before."""
        if self._trainer is not None and self._trainer() is not trainer:
            self._reset()
        if self.stopped_epoch is not None:
            self.wait_count, self.stopped_epoch = 0, None
        self._trainer = weakref.ref(trainer)

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """Compare the epoch with the best one.

        Raises:
            KeyError: the epoch has no such metric.
        """
        value = value_of(logs, self.config.monitor)
        if self.config.check_finite and not math.isfinite(value):
            self._stop(trainer, epoch)
        if self.config.after_warmup and (
            trainer.step < trainer.warmup_steps or in_warmup(trainer, self.config.monitor)
        ):
            return
        if is_better(value, self.best_score, self.config.mode, self.config.min_delta):
            self.best_score, self.wait_count = value, 0
        else:
            self.wait_count += 1
        if self.wait_count and self.wait_count >= self.config.patience:
            self._stop(trainer, epoch)

    def state(self) -> dict[str, Any]:
        """The best value, None before there is one, and how long ago it was."""
        best = self.best_score if math.isfinite(self.best_score) else None
        return {"best_score": best, "wait_count": self.wait_count}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._reset()
        if state["best_score"] is not None:
            self.best_score = float(state["best_score"])
        self.wait_count, self._trainer = int(state["wait_count"]), None

    def _stop(self, trainer: Any, epoch: int) -> None:
        self.stopped_epoch = epoch
        trainer.should_stop = True

    def _reset(self) -> None:
        self.best_score, self.wait_count = worst(self.config.mode), 0
        self.stopped_epoch = None
