"""The folder of a run: which files are where."""

import json
import re
from pathlib import Path
from typing import Any

from artifex_compat.commands.configuration import RunConfig, configured
from artifex_compat.commands.errors import CommandError, refusing

ROOT = Path("runs")


class RunFolder:
    """The files of a run.

    Args:
        path: where they are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config, self.report = path / "config.yaml", path / "report.html"
        self.scores, self.used = path / "scores.json", path / "environment.json"
        self.lines, self.table = path / "metrics.jsonl", path / "metrics.csv"
        self.checkpoints, self.figures = path / "checkpoints", path / "figures"
        self.events = path / "tensorboard"

    def read_config(self) -> RunConfig:
        """The configuration that the run was made from.

        Raises:
            CommandError: there is none, or it is broken.
        """
        if not self.config.is_file():
            raise CommandError(
                f"{self.path} must be the folder of a run, with its config.yaml, and has none."
            )
        return configured(self.config, ())


def new_folder(path: Path | None, name: str) -> RunFolder:
    """A folder for a new run, which nothing is in yet.

    Args:
        path: where the user wants it; below `runs`, with the first free number, where not given.
        name: of the run.

    Raises:
        CommandError: there is something in it, or it cannot be made.
    """
    with refusing():
        if path is not None:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise CommandError(
                    f"--out must be a new or an empty folder, and {path} is not empty; "
                    f"--resume {path} goes on with the run that is there."
                )
            return RunFolder(path)
        short = re.sub(r"[^\w-]+", "-", name).strip("-") or "run"
        ROOT.mkdir(exist_ok=True)
        number = 1
        while True:
            try:  # making it takes it: two runs that start at once get two folders
                (ROOT / f"{short}-{number}").mkdir()
            except FileExistsError:
                number += 1
            else:
                return RunFolder(ROOT / f"{short}-{number}")


def write_json(path: Path, content: Any) -> None:
    """Write what JSON can hold, for people to read too."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
