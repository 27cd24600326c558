"""IDX, the format of MNIST's files, as they are or gzipped."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from artifex_compat.data.examples import Examples
from artifex_compat.data.files import (
    MOST_BYTES,
    Array,
    Numbers,
    Readable,
    check_factors,
    check_pixels,
    check_size,
    reading,
    with_channels,
)
from edifice_py.interchange import disk

KIND = "an IDX file"
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
Header = tuple[np.dtype[Any], tuple[int, ...]]


def read_idx(
    images: str | Path, labels: str | Path | None = None, *, most_bytes: int = MOST_BYTES
) -> Examples:
    """Examples from an IDX file, and their labels from another.

    For MNIST: `read_idx("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")`.

    Args:
        images: file of uint8 or floats `[n, height, width]`; bytes go to [0, 1].
        labels: file of labels `[n]` or factors `[n, factors]`, None for none.
        most_bytes: refuse to read more than this, counted as float32.

    Raises:
        DataError: a file is missing or broken, or larger than allowed, or the two do not fit.

    Reference:
        LeCun, Cortes and Burges, The MNIST database, "File formats".
    """
    with _opened(images) as (stream, (dtype, shape)):
        check_pixels(images, dtype, shape)
        check_size(images, prod(shape), most_bytes)
        numbers = Numbers(stream, dtype, shape)
        pixels = with_channels(numbers.pixels())
        numbers.check_end()
    if labels is None:
        return Examples(pixels, copy=False)
    with _opened(labels) as (stream, (dtype, shape)):
        check_factors(labels, dtype, shape)
        found = _rows(stream, labels, dtype, shape, most_bytes)
    factors = found.reshape(len(found), -1)
    names = ("label",) if factors.shape[1] == 1 else ()
    return Examples(pixels, factors, names, copy=False)


def idx_array(file: str | Path, *, most_bytes: int = MOST_BYTES) -> Array:
    """The array of an IDX file, gzipped or not, in its own type.

    Args:
        file: where it is.
        most_bytes: refuse to read more than this.

    Raises:
        DataError: the file is missing, broken, or larger than allowed.
    """
    with _opened(file) as (stream, (dtype, shape)):
        return _rows(stream, file, dtype, shape, most_bytes)


@contextmanager
def _opened(file: str | Path) -> Iterator[tuple[Readable, Header]]:
    """A file behind its header, and what that says."""
    with reading(file, KIND), disk.opened(Path(file).expanduser()) as raw:
        zipped = raw.read(2) == _GZIP
        raw.seek(0)
        if zipped:
            with gzip.open(raw) as stream:
                yield stream, _header(stream)
        else:
            yield raw, _header(raw)


def _header(stream: Readable) -> Header:
    magic = stream.read(4)
    if len(magic) != 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not magic[3]:
        raise ValueError("it does not begin with IDX's magic number")
    code, rank = magic[2:]
    sizes = stream.read(4 * rank)
    if len(sizes) != 4 * rank:
        raise EOFError("it is cut short")
    return np.dtype(_TYPES[code]), tuple(np.frombuffer(sizes, ">u4").tolist())


def _rows(
    stream: Readable,
    file: str | Path,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    most_bytes: int,
) -> Array:
    check_size(file, prod(shape), most_bytes, dtype)
    numbers = Numbers(stream, dtype, shape)
    found = numbers.rows()
    numbers.check_end()
    return found
