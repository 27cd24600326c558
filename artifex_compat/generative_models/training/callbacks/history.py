"""Writing the metrics of a run to a file."""

import csv
import json
from pathlib import Path
from typing import Any

from artifex_compat.generative_models.training.callbacks.base import Callback


class JSONLHistory(Callback):
    """Writes a line of JSON for each epoch: `epoch`, `step` and its metrics.

    Args:
        path: the file. When training begins it is made to hold the history of the run so far: a run
            that was cut off may have lines of epochs that are run again, or lack one whose
            checkpoint was saved already.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_train_begin(self, trainer: Any) -> None:
        """Write the lines of the epochs that are finished."""
        lines = (f"{json.dumps(row)}\n" for row in trainer.history)
        self.path.write_text("".join(lines), encoding="utf-8")

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
