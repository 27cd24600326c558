"""Telling TensorBoard and Weights & Biases of a run; each is imported where it is used."""

from dataclasses import dataclass, field
from os.path import expanduser
from typing import Any

from artifex_compat.data.extras import extra_module
from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    mapping,
    one_of,
    optional,
    text,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.training.callbacks.base import Callback


@dataclass(frozen=True)
class TensorBoardLoggerConfig(Config):
    """Where TensorBoard finds a run.

    Attributes:
        log_dir: the folder of its events.
    """

    log_dir: str = field(default="logs/tensorboard", metadata=checked(text))


class TensorBoardLoggerCallback(Callback):
    """Writes the metrics of each epoch as TensorBoard's events, at the epoch's last step.

    A run that was cut off and goes on replaces what was written after the checkpoint.

    Args:
        config: where to.

    Raises:
        ImportError: tensorboardX is not installed.

    Reference:
        Artifex 0.1.3, `TensorBoardLoggerCallback`. Differs from it: tensorboardX writes the events,
        which needs no torch; epochs only, so that they are compiled as a whole.
    """

    def __init__(self, config: TensorBoardLoggerConfig | None = None) -> None:
        self.config = TensorBoardLoggerConfig() if config is None else config
        name = type(self).__name__
        self._module = extra_module("tensorboardX", "tensorboardX", name, extra="tensorboard")
        self._writer: Any = None

    def on_train_begin(self, trainer: Any) -> None:
        """Open the file."""
        purged = trainer.step + 1 if trainer.step else None
        folder = _expanded(self.config.log_dir)
        self._writer = self._module.SummaryWriter(folder, purge_step=purged)

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Write the metrics."""
        for name, value in logs.items():
            self._writer.add_scalar(name, value, trainer.step)

    def on_train_end(self, trainer: Any) -> None:  # noqa: ARG002
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


def _expanded(folder: str) -> str:
    """A folder, or an address like s3://bucket, which `Path` would change."""
    return expanduser(folder)  # noqa: PTH111


WANDB_MODES = ("online", "offline", "disabled")


@dataclass(frozen=True, kw_only=True)
class WandbLoggerConfig(Config):
    """What a run is called at Weights & Biases.

    Attributes:
        project: where it belongs.
        name: its name; theirs where not given.
        config: what it was made from, to be shown there.
        mode: "online", "offline" or "disabled"; what the environment says where not given.
        log_dir: folder of their files.
    """

    project: str = field(metadata=checked(text))
    name: str | None = field(default=None, metadata=checked(optional(text)))
    config: dict[str, Any] = field(default_factory=dict, metadata=checked(mapping))
    mode: str | None = field(default=None, metadata=checked(optional(one_of(WANDB_MODES))))
    log_dir: str | None = field(default=None, metadata=checked(optional(text)))


class WandbLoggerCallback(Callback):
    """Sends the metrics of each epoch to Weights & Biases, at the epoch's last step.

    Args:
        config: what the run is called there.

    Raises:
        ImportError: wandb is not installed.

    Reference:
        Artifex 0.1.3, `WandbLoggerCallback`. Differs from it: the run begins with training, and one
        that goes on after `Trainer.restore` is the same run there; epochs only.
    """

    def __init__(self, config: WandbLoggerConfig) -> None:
        self.config = config
        self._module = extra_module("wandb", "wandb", type(self).__name__, extra="wandb")
        self._run: Any = None
        self._id: str | None = None

    def on_train_begin(self, trainer: Any) -> None:  # noqa: ARG002
        """Begin the run, or go on with it."""
        config = self.config
        self._run = self._module.init(
            project=config.project,
            name=config.name,
            config=config.config,
            mode=config.mode,
            dir=None if config.log_dir is None else _expanded(config.log_dir),
            id=self._id,
            resume="allow",
        )
        self._id = self._run.id

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Send the metrics."""
        self._run.log(dict(logs), step=trainer.step)

    def on_train_end(self, trainer: Any) -> None:  # noqa: ARG002
        """End the run."""
        if self._run is not None:
            self._run.finish()

    def state(self) -> dict[str, Any]:
        """Which run it is there."""
        return {"id": self._id}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on with it."""
        self._id = state["id"]
