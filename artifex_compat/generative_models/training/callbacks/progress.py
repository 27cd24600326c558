"""A line that shows how far a run is."""

from typing import Any

from artifex_compat.generative_models.training.callbacks.base import Callback


class ProgressBar(Callback):
    """Shows epochs and their metrics with rich; silent where the output is no terminal.

    Raises:
        ImportError: rich is not installed.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}")
        )
        self._progress.disable = not self._progress.console.is_terminal
        self._task: Any = None

    def on_train_begin(self, trainer: Any) -> None:
        """Start the line."""
        self._task = self._progress.add_task(
            "", total=trainer.state.last_epoch, completed=trainer.epoch
        )
        self._progress.start()

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Show the epoch's metrics."""
        words = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        self._progress.update(self._task, completed=epoch + 1, description=words)

    def on_train_end(self, trainer: Any) -> None:  # noqa: ARG002
        """Leave the line as it is."""
        self._progress.stop()
