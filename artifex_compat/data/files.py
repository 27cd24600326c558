"""What every reader does: bounds before memory, and one sentence where a file is broken."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edifice_terminal import printable

Array = NDArray[Any]

MOST_BYTES = 2**32
"""A reader gives at most 4 GiB of float32, unless it is told otherwise."""

_BLOCK = 2**21
"""Numbers that are read at a time."""


class DataError(ValueError):
    """A file is unreadable, or what it holds is no training data.

    Args:
        words: why, in one sentence; letters in it that a terminal would obey, as in names of files,
            are escaped.
    """

    def __init__(self, words: str) -> None:
        super().__init__(printable(words))


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


def check_size(file: str | Path, count: int, most_bytes: int, kind: Any = np.float32) -> None:
    """Refuse what would take more memory than allowed, before it takes any.

    Args:
        file: what is read.
        count: how many numbers of it are kept.
        most_bytes: the limit.
        kind: the type that they are kept in.

    Raises:
        DataError: they are too many.
    """
    dtype = np.dtype(kind)
    if dtype.itemsize * count > most_bytes:
        raise DataError(
            f"{file} holds {dtype.itemsize * count:,} bytes as {dtype.name}, more than "
            f"most_bytes={most_bytes:,}; read fewer rows of it, or allow more."
        )


class Readable(Protocol):
    """A file, or what unpacks one."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many."""


class Numbers:
    """The numbers of a file, read in blocks into an array of the type that they are kept in.

    Args:
        stream: where the first of them comes next.
        dtype: of those in the file.
        shape: of all of them, a row for each example; at least one axis.
        by_columns: whether the first axis runs fastest, as in Fortran.
    """

    def __init__(
        self,
        stream: Readable,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        *,
        by_columns: bool = False,
    ) -> None:
        self._stream, self._dtype, self._shape = stream, dtype, shape
        self._by_columns = by_columns and len(shape) > 1
        self._taken = 0

    def rows(self, wanted: Array | None = None) -> Array:
        """Rows in their own type, `[rows, ...]`, in native byte order.

        Args:
            wanted: indices of rows, of which one may come twice; None for all.
        """
        result, _ = self._read(wanted, self._dtype.newbyteorder("="), look_on=False)
        return result

    def pixels(self, wanted: Array | None = None) -> Array:
        """Rows as float32, `[rows, ...]`: bytes go to [0, 1].

        Bytes of which none in the whole file is above 1 are taken for black and white, as those of
        dSprites: which rows are wanted must not decide it.

        Args:
            wanted: as in `rows`.

        Raises:
            ValueError: a number is too large for float32.
        """
        are_bytes = self._dtype == np.uint8
        result, largest = self._read(wanted, np.dtype(np.float32), look_on=are_bytes)
        if largest > 1:
            result /= 255
        return result

    def check_end(self) -> None:
        """Refuse a file that goes on behind them.

        Raises:
            ValueError: it does.
        """
        if self._stream.read(1):
            raise ValueError(f"{self._wanted}, and has more")

    @property
    def _wanted(self) -> str:
        size = prod(self._shape) * self._dtype.itemsize
        return f"it must hold {size} bytes for {list(self._shape)}"

    def _read(
        self, wanted: Array | None, kept: np.dtype[Any], *, look_on: bool
    ) -> tuple[Array, int]:
        """Rows, and the largest number seen, 0 where nothing was looked at.

        Args:
            wanted: indices of rows, None for all.
            kept: the type of the result.
            look_on: look at all numbers of the file, until one is above 1.
        """
        count, inner = self._shape[0], self._shape[1:]
        result: Array = np.empty((count if wanted is None else len(wanted), prod(inner)), kept)
        order = None if wanted is None else np.argsort(wanted, kind="stable")
        ascending = np.empty(0) if wanted is None or order is None else wanted[order]
        last = count if order is None else 1 + int(max(ascending, default=-1))
        largest = 0
        for rows, columns in self._blocks():
            if not self._by_columns and rows.start >= last and (largest > 1 or not look_on):
                break
            block = self._block(rows, columns)
            if look_on:
                largest = max(largest, int(block.max()))
            if order is None:
                result[rows, self._places(columns)] = _converted(block, kept)
                continue
            first, end = np.searchsorted(ascending, (rows.start, rows.stop))
            some = _converted(block[ascending[first:end] - rows.start], kept)
            places = self._places(columns)
            where = order[first:end]
            result[np.ix_(where, places) if self._by_columns else (where, places)] = some
        return result.reshape(len(result), *inner), largest

    def _blocks(self) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of each block, in the order of the file."""
        lengths = self._shape[0], prod(self._shape[1:])
        outer, inner = reversed(lengths) if self._by_columns else lengths
        width = min(inner, _BLOCK)
        if not width:
            return
        height = _BLOCK // width
        for top in range(0, outer, height):
            for left in range(0, inner, width):
                block = (
                    slice(top, min(top + height, outer)),
                    slice(left, min(left + width, inner)),
                )
                yield (block[1], block[0]) if self._by_columns else block

    def _block(self, rows: slice, columns: slice) -> Array:
        height, width = rows.stop - rows.start, columns.stop - columns.start
        size = height * width * self._dtype.itemsize
        data = self._stream.read(size)
        if len(data) != size:
            raise EOFError(f"{self._wanted}, and has {self._taken + len(data)}")
        self._taken += size
        numbers = np.frombuffer(data, self._dtype)
        if self._by_columns:
            return numbers.reshape(width, height).T
        return numbers.reshape(height, width)

    def _places(self, columns: slice) -> Any:
        """Where columns of the file stand in a row."""
        if not self._by_columns:
            return columns
        inner = self._shape[1:]
        numbers = np.unravel_index(np.arange(columns.start, columns.stop), inner, order="F")
        return np.ravel_multi_index(numbers, inner)


def _converted(block: Array, dtype: np.dtype[Any]) -> Array:
    """A block in another type, which must hold its numbers."""
    with np.errstate(over="ignore"):
        found = block.astype(dtype)
    if block.dtype.itemsize > 4 and (np.isinf(found) & ~np.isinf(block)).any():
        raise ValueError(f"it has a number that is too large for {dtype.name}")
    return found


def check_pixels(file: str | Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Refuse what is no array of examples, before it is read.

    Args:
        file: where it is.
        dtype: bool, uint8 or a float type.
        shape: `[n, features]`, `[n, height, width]` or `[n, height, width, channels]`.

    Raises:
        DataError: it is of another rank or type.
    """
    if len(shape) not in (2, 3, 4):
        raise DataError(
            f"{file} must hold examples [n, features], [n, height, width] or "
            f"[n, height, width, channels], not an array of {list(shape)}."
        )
    if dtype.kind not in "bf" and dtype != np.uint8:
        raise DataError(
            f"{file} must hold pixels as bool, uint8 or floats, not {dtype}, whose range nobody "
            "knows; save them as uint8 from 0 to 255, or as float32 from 0 to 1."
        )


def with_channels(pixels: Array) -> Array:
    """Images `[n, height, width]` with an axis of channels; all else as it is."""
    return pixels[..., None] if pixels.ndim == 3 else pixels


def check_factors(file: str | Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Refuse what is no array of factors, `[n, factors]`, or of labels, `[n]`, before it is read.

    Raises:
        DataError: it is of another rank, or no numbers.
    """
    if len(shape) not in (1, 2) or dtype.kind not in "buif":
        raise DataError(
            f"{file} must hold factors as numbers [n] or [n, factors], "
            f"not an array of {dtype}{list(shape)}."
        )
