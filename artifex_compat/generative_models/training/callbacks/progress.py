"""A line that shows how far a run is."""

from collections.abc import Collection
from typing import Any

from artifex_compat.generative_models.training.callbacks.base import Callback


class ProgressBar(Callback):
    """Shows epochs and their metrics with rich; silent where the output is no terminal.

    Args:
        metrics: the names of those that are shown; all of them where not given.
        console: the `rich.console.Console` to write to; standard output where not given.

    Raises:
        ImportError: rich is not installed.
    """

    def __init__(self, metrics: Collection[str] | None = None, console: Any = None) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._metrics = metrics
        self._progress = Progress(
            *(TextColumn("epoch"), MofNCompleteColumn(), BarColumn()),
            TextColumn("{task.description}"),
            console=console,
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
        words = described(logs, self._metrics)
        self._progress.update(self._task, completed=epoch + 1, description=words)

    def on_train_end(self, trainer: Any) -> None:  # noqa: ARG002
        """Leave the line as it is."""
        if not self._progress.disable:  # rich 13 ends with a line where there was none
            self._progress.stop()


def described(logs: dict[str, float], metrics: Collection[str] | None = None) -> str:
    """Metrics on one line: those of the names, or all of them."""
    shown = (name for name in logs if metrics is None or name in metrics)
    return "  ".join(f"{name} {logs[name]:.4g}" for name in shown)
