"""Files that are read whole, and files that are written whole or not at all."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from edifice_py.interchange.errors import InterchangeError

_KINDS = {
    stat.S_IFDIR: "Is a directory",
    stat.S_IFIFO: "Is a named pipe",
    stat.S_IFCHR: "Is a device",
    stat.S_IFBLK: "Is a device",
}


class IrregularFileError(OSError):
    """It is no regular file, like a folder or a device, which may never end."""


def opened(path: Path) -> BinaryIO:
    """A regular file, to be read; a named pipe is not waited for.

    Raises:
        OSError: it cannot be read.
        IrregularFileError: it is no regular file.
    """
    # An ordinary open of a named pipe waits for its other end.
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        os.close(number)
        raise IrregularFileError(errno.EINVAL, _KINDS.get(stat.S_IFMT(mode), "Is no file"))
    return os.fdopen(number, "rb")


def read(path: Path, most: int | None = None) -> bytes:
    """What is in a file.

    Args:
        path: where it is.
        most: bytes of it that are read, all where it is not given.

    Raises:
        OSError: it cannot be read.
        InterchangeError: it is no regular file.
    """
    try:
        file = opened(path)
    except IrregularFileError as error:
        raise InterchangeError(
            f"{path} is no file to read weights from: {error.strerror}."
        ) from None
    with file:
        size = os.fstat(file.fileno()).st_size
        return file.read(size if most is None else min(size, most))


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
