"""The folder of a run: which files are where."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from artifex_compat.commands.configuration import RunConfig, configured
from artifex_compat.commands.errors import CommandError, refusing
from artifex_compat.generative_models.training.callbacks.history import as_json
from edifice_py.interchange import disk

ROOT, LOCK = Path("runs"), ".lock"


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

    @property
    def has_checkpoints(self) -> bool:
        """Whether there is anything to go on from."""
        return self.checkpoints.is_dir() and any(
            path.name.isdigit() for path in self.checkpoints.iterdir()
        )

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


@contextmanager
def locked(path: Path, option: str) -> Iterator[RunFolder]:
    """The folder of a run, which no other process writes to meanwhile.

    Args:
        path: of the folder, which is there.
        option: that named it.

    Raises:
        CommandError: another process writes to it, or what would be written is a link elsewhere.
    """
    with refusing():
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        number = os.open(path / LOCK, flags, 0o666)
    try:
        with refusing():
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CommandError(
                    f"{option} {path}: another process writes to this folder; wait for its end."
                ) from error
            for file in path.rglob("*"):
                if file.is_symlink():
                    raise CommandError(
                        f"{option} {path}: {file} is a link, which is never written through; "
                        "put what it leads to in its place."
                    )
        yield RunFolder(path)
    finally:
        os.close(number)


@contextmanager
def new_folder(path: Path | None, name: str) -> Iterator[RunFolder]:
    """A folder for a new run, which nothing is in yet, locked; an error leaves none if it is empty.

    Args:
        path: where the user wants it; below `runs`, with the first free number, where not given.
        name: of the run.

    Raises:
        CommandError: there is something in it, another run begins there, or it cannot be made.
    """
    with refusing():
        if path is None:
            path = _numbered(name)
        elif not _is_utf8(path):
            raise CommandError(f"--out must be a path in UTF-8, not {str(path)!r}.")
        path.mkdir(parents=True, exist_ok=True)
        held = [file for file in path.iterdir() if file.name != LOCK]
    if held:
        raise CommandError(
            f"--out must be a new or an empty folder, and {path} is not empty; "
            f"--resume {path} goes on with the run that is there."
        )
    with locked(path, "--out") as folder:
        try:
            yield folder
        except CommandError:
            if [file.name for file in path.iterdir()] == [LOCK]:
                (path / LOCK).unlink()
                path.rmdir()
            raise


def _numbered(name: str) -> Path:
    short = re.sub(r"[^\w-]+", "-", name).strip("-") or "run"
    ROOT.mkdir(exist_ok=True)
    number = 1
    while True:
        try:  # making it takes it: two runs that start at once get two folders
            (ROOT / f"{short}-{number}").mkdir()
        except FileExistsError:
            number += 1
        else:
            return ROOT / f"{short}-{number}"


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def write(path: Path, content: bytes) -> None:
    """Put a file of a run in place: the old one or the new one is there, whenever this is killed.

    Raises:
        CommandError: there is a link in its place.
        OSError: it cannot be written.
    """
    if path.is_symlink():
        raise CommandError(f"{path} is a link, which is never written through: remove it first.")
    disk.write(path, content)


def write_json(path: Path, content: Any) -> None:
    """Write what JSON can hold, for people to read too."""
    write(path, f"{as_json(content, indent=2)}\n".encode())
