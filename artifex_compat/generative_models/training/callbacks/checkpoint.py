"""Saving a run as it goes."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    non_negative,
    one_of,
    only,
    optional,
    text,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.training.callbacks.base import Callback
from artifex_compat.generative_models.training.callbacks.monitor import (
    MODES,
    value_of,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointStore
from artifex_compat.generative_models.training.warmup import in_warmup
from edifice_py.checks import positive_int


def _path(name: str, value: object) -> str:
    return text(name, str(value) if isinstance(value, Path) else value)


@dataclass(frozen=True)
class CheckpointConfig(Config):
    """What is saved where.

    Attributes:
        dirpath: the folder.
        monitor: the metric by which the best are kept; with None only the last are. A metric of
            training, unlike one of validation, counts only after the warm-up of the loss.
        mode: "min" or "max", which values of `monitor` are better.
        save_top_k: how many of the best by `monitor` are kept.
        keep_last: how many of the newest are kept beside them.
        every_n_epochs: epochs from one save to the next.
        every_n_batches: save within epochs too, after each so many batches; None for not.
        every_n_seconds: save also when so many seconds have passed since the last save: after the
            epoch, or after the batch where the run goes batch by batch; None for not.
    """

    dirpath: str = field(default="checkpoints", metadata=checked(_path))
    monitor: str | None = field(default="val_loss", metadata=checked(optional(text)))
    mode: str = field(default="min", metadata=checked(one_of(MODES)))
    save_top_k: int = field(default=1, metadata=checked(positive_int))
    keep_last: int = field(default=1, metadata=checked(positive_int))
    every_n_epochs: int = field(default=1, metadata=checked(positive_int))
    every_n_batches: int | None = field(default=None, metadata=checked(optional(positive_int)))
    every_n_seconds: float | None = field(default=300.0, metadata=checked(optional(non_negative)))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.monitor is None:
            for name, default in (("mode", "min"), ("save_top_k", 1)):
                check = only(default, "a CheckpointConfig without monitor, which keeps no best")
                check(name, getattr(self, name))


class ModelCheckpoint(Callback):
    """Saves the run after its epochs, at its end, and when an interrupt ends it.

    `Trainer.restore(dirpath)` goes on from there. A folder that another run has filled is emptied
    first: its checkpoints are moved to a numbered folder beside it, with a warning.

    Args:
        config: what is saved where.

    Attributes:
        store: the folder of checkpoints.

    Reference:
        Artifex, VAE Trainer, "Integration with Base Trainer".
    """

    def __init__(self, config: CheckpointConfig | None = None) -> None:
        self.config = CheckpointConfig() if config is None else config
        self.store = CheckpointStore(
            self.config.dirpath,
            keep_last=self.config.keep_last,
            keep_best=self.config.save_top_k,
            mode=self.config.mode,
            monitor=self.config.monitor,
        )
        self._score: float | None = None
        self._saved_at = time.monotonic()

    @property
    def hears_batches(self) -> bool:
        """Whether it saves within epochs."""
        return self.config.every_n_batches is not None

    @property
    def compares_epochs(self) -> bool:
        """Whether it keeps the best."""
        return self.config.monitor is not None

    def on_train_begin(self, trainer: Any) -> None:  # noqa: ARG002
        """Begin to count the seconds."""
        self._score, self._saved_at = None, time.monotonic()

    def on_batch_end(self, trainer: Any, batch: int, logs: dict[str, Any]) -> None:  # noqa: ARG002
        """Save, where it is time.

        Raises:
            CheckpointError: the folder cannot be written to.
        """
        every = self.config.every_n_batches
        if (every and (batch + 1) % every == 0) or self._is_late():
            self._save(trainer, None)

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """Save, where it is time.

        Raises:
            KeyError: the epoch has no such metric.
            CheckpointError: the folder cannot be written to.
        """
        monitor = self.config.monitor
        value = None if monitor is None else value_of(logs, monitor)
        self._score = None if monitor is None or in_warmup(trainer, monitor) else value
        if (epoch + 1) % self.config.every_n_epochs == 0 or self._is_late():
            self._save(trainer, self._score)

    def on_stop(self, trainer: Any) -> None:
        """Save the end of the run, or where it was interrupted.

        Raises:
            CheckpointError: the folder cannot be written to.
        """
        self._save(trainer, None if trainer.state.batch else self._score)

    def _is_late(self) -> bool:
        seconds = self.config.every_n_seconds
        return seconds is not None and time.monotonic() - self._saved_at >= seconds

    def _save(self, trainer: Any, score: float | None) -> None:
        trainer.save(self.store, score)
        self._saved_at = time.monotonic()
