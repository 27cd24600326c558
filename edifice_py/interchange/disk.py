"""Files that are read whole, and files that are written whole or not at all."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from edifice_py.interchange.errors import InterchangeError


def read(path: Path, most: int | None = None) -> bytes:
    """What is in a file.

    Args:
        path: where it is.
        most: bytes of it that are read, all where it is not given.

    Raises:
        OSError: it cannot be read.
        InterchangeError: it is no regular file, like a folder or a device, which may never end.
    """
    # A named pipe would make an ordinary open wait for its other end.
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        os.close(number)
        raise InterchangeError(f"{path} is no file to read weights from.")
    with os.fdopen(number, "rb") as file:
        return file.read(status.st_size if most is None else min(status.st_size, most))


def write(path: Path, content: bytes) -> None:
    """Put a file in place: whoever looks finds the old one or the new one, whenever this is killed.

    The new one is written beside it under another name, flushed to the disk, and renamed. It has
    the permissions of the old one, or those of any new file. A link stays a link.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    path = path.resolve()
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(number, "wb") as file:
            with suppress(FileNotFoundError):
                os.fchmod(number, stat.S_IMODE(path.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(number)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Bring the new name itself to the disk, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
