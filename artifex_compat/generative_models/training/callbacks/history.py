"""Writing the metrics of a run to a file."""

import csv
import json
from pathlib import Path
from typing import Any

from artifex_compat.generative_models.training.callbacks.base import Callback


class JSONLHistory(Callback):
    """Appends a line of JSON for each epoch: `epoch`, `step` and its metrics.

    Args:
        path: the file. What it has is kept, but for epochs that are run again.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_train_begin(self, trainer: Any) -> None:
        """Drop the lines of epochs that are to come, of a run that was cut off."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        kept = [line for line in lines if json.loads(line)["epoch"] < trainer.epoch]
        self.path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """Append the line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": epoch, "step": trainer.step, **logs}) + "\n")


class CSVHistory(Callback):
    """Writes a table with a row for each epoch: `epoch`, `step` and its metrics.

    Args:
        path: the file, which is written anew after each epoch.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Write the table."""
        columns = list(dict.fromkeys(name for row in trainer.history for name in row))
        with self.path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(trainer.history)
