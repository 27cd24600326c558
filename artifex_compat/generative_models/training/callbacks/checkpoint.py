"""Saving a run as it goes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    one_of,
    optional,
    text,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.training.callbacks.base import Callback
from artifex_compat.generative_models.training.callbacks.monitor import MODES, value_of, worst
from artifex_compat.generative_models.training.checkpoints import CheckpointStore
from edifice_py.checks import positive_int


def _path(name: str, value: object) -> str:
    return text(name, str(value) if isinstance(value, Path) else value)


@dataclass(frozen=True)
class CheckpointConfig(Config):
    """What is saved where.

    Attributes:
        dirpath: the folder.
        monitor: the metric by which the best are kept; with None only the last are.
        mode: "min" or "max", which values are better.
        save_top_k: how many of the best are kept.
        keep_last: how many of the newest are kept beside them.
        every_n_epochs: epochs from one save to the next.
        every_n_batches: save within epochs too, after each so many batches; None for not.
    """

    dirpath: str = field(default="checkpoints", metadata=checked(_path))
    monitor: str | None = field(default="val_loss", metadata=checked(optional(text)))
    mode: str = field(default="min", metadata=checked(one_of(MODES)))
    save_top_k: int = field(default=1, metadata=checked(positive_int))
    keep_last: int = field(default=1, metadata=checked(positive_int))
    every_n_epochs: int = field(default=1, metadata=checked(positive_int))
    every_n_batches: int | None = field(default=None, metadata=checked(optional(positive_int)))


class ModelCheckpoint(Callback):
    """Saves the run after its epochs: `Trainer.restore(dirpath)` goes on from there.

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
        )

    @property
    def hears_batches(self) -> bool:
        """Whether it saves within epochs."""
        return self.config.every_n_batches is not None

    def on_batch_end(self, trainer: Any, batch: int, logs: dict[str, Any]) -> None:  # noqa: ARG002
        """Save, where it is time and the epoch has batches left.

        Raises:
            CheckpointError: the folder cannot be written to.
        """
        every = self.config.every_n_batches
        if every and (batch + 1) % every == 0:
            trainer.save(self.store, worst(self.config.mode))

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """Save, where it is time.

        Raises:
            KeyError: the epoch has no such metric.
            CheckpointError: the folder cannot be written to.
        """
        config = self.config
        score = worst(config.mode) if config.monitor is None else value_of(logs, config.monitor)
        if (epoch + 1) % config.every_n_epochs == 0:
            trainer.save(self.store, score)
