"""Writing the metrics of a run to a file."""

import csv
import io
import json
import math
import warnings
from pathlib import Path
from typing import Any

from artifex_compat.generative_models.training.callbacks.base import Callback
from artifex_compat.generative_models.training.naming import free_name
from edifice_py.interchange import disk


class JSONLHistory(Callback):
    """Writes a line of JSON for each epoch: `epoch`, `step` and its metrics.

    Args:
        path: the file. When training begins it is made to hold the history of the run so far: a run
            that was cut off may have lines of epochs that are run again, or lack one whose
            checkpoint was saved already. A file that a new run finds there is renamed, with a
            warning. A number that is not finite is null.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()

    def on_train_begin(self, trainer: Any) -> None:
        """Write the lines of the epochs that are finished."""
        keep_of_another_run(self.path, trainer)
        disk.write(self.path, "".join(map(_line, trainer.history)).encode())

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """Append the line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line({"epoch": epoch, "step": trainer.step, **logs}))


class CSVHistory(Callback):
    """Writes a table with a row for each epoch: `epoch`, `step` and its metrics.

    Args:
        path: the file, which is written anew after each epoch. A file that a new run finds there is
            renamed, with a warning.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()

    def on_train_begin(self, trainer: Any) -> None:
        """Keep the table of another run."""
        keep_of_another_run(self.path, trainer)

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Write the table."""
        columns = list(dict.fromkeys(name for row in trainer.history for name in row))
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, columns)
        table.writeheader()
        table.writerows(trainer.history)
        disk.write(self.path, text.getvalue().encode())


def keep_of_another_run(path: Path, trainer: Any) -> None:
    """Rename a file that is not of this run: one that is there before its first step."""
    if trainer.step or not path.is_file() or not path.stat().st_size:
        return
    kept = path.rename(free_name(path))
    warnings.warn(f"{path}: there was a file of another run; it is {kept} now.", stacklevel=2)


def as_json(content: Any, indent: int | None = None) -> str:
    """A text of JSON, which has no NaN and no infinity: they are null."""
    return json.dumps(_finite(content), indent=indent, allow_nan=False)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return list(map(_finite, content))
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _line(row: dict[str, Any]) -> str:
    return as_json(row) + "\n"
