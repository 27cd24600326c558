"""What every reader does: bounds before memory, and one sentence where a file is broken."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_BYTES = 2**32
"""A reader gives at most 4 GiB of float32, unless it is told otherwise."""


class DataError(ValueError):
    """A file is unreadable, or what it holds is no training data."""


@contextmanager
def reading(file: str | Path, kind: str) -> Iterator[None]:
    """Make one sentence of whatever goes wrong within.

    Args:
        file: what is read.
        kind: what it is read as, like "an npz file".

    Raises:
        DataError: anything was raised.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        # zipfile, gzip, numpy and Pillow raise two dozen kinds of errors on broken files.
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        first = (why.splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DataError(f"{file} cannot be read as {kind}: {first}.") from error


def check_size(file: str | Path, count: int, most_bytes: int) -> None:
    """Refuse what would take more memory than allowed, before it takes any.

    Args:
        file: what is read.
        count: how many numbers it holds, which become float32.
        most_bytes: the limit.

    Raises:
        DataError: they are too many.
    """
    if 4 * count > most_bytes:
        raise DataError(
            f"{file} holds {4 * count:,} bytes as float32, more than most_bytes={most_bytes:,}; "
            "read fewer rows of it, or allow more."
        )


def as_pixels(file: str | Path, stored: Array) -> Array:
    """Stored numbers as float32 examples: bytes to [0, 1], images with a channel axis.

    Bytes of which none is above 1 are taken for black and white, as those of dSprites.

    Args:
        file: where they come from.
        stored: `[n, features]`, `[n, height, width]` or `[n, height, width, channels]`, of bool,
            uint8 or a float type.

    Returns:
        float32, `[n, features]` or `[n, height, width, channels]`.

    Raises:
        DataError: they are of another rank or type.
    """
    if stored.ndim not in (2, 3, 4):
        raise DataError(
            f"{file} must hold examples [n, features], [n, height, width] or "
            f"[n, height, width, channels], not an array of {list(stored.shape)}."
        )
    if stored.dtype.kind not in "bf" and stored.dtype != np.uint8:
        raise DataError(
            f"{file} must hold pixels as bool, uint8 or floats, not {stored.dtype}; "
            "save them as uint8 from 0 to 255."
        )
    pixels = stored.astype(np.float32)
    if stored.dtype == np.uint8 and stored.size and stored.max() > 1:
        pixels /= 255
    return pixels[..., None] if stored.ndim == 3 else pixels


def as_factors(file: str | Path, stored: Array) -> Array:
    """Stored labels as `[n, factors]`; one label an example is one factor.

    Raises:
        DataError: they are of another rank, or no numbers.
    """
    if stored.ndim not in (1, 2) or stored.dtype.kind not in "buif":
        raise DataError(
            f"{file} must hold factors as numbers [n] or [n, factors], "
            f"not an array of {stored.dtype}{list(stored.shape)}."
        )
    return stored.reshape(len(stored), -1)
