"""A user's own npz file: arrays read in blocks, with their size checked before. No pickle."""

import io
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from artifex_compat.data.examples import Examples
from artifex_compat.data.files import (
    MOST_BYTES,
    Array,
    DataError,
    Numbers,
    check_factors,
    check_pixels,
    check_size,
    reading,
    with_channels,
)
from edifice_py.interchange import disk

DATA_NAMES = ("images", "imgs", "image", "x", "data", "x_train")
FACTOR_NAMES = ("factors", "latents_classes", "labels", "label", "y", "y_train")
KIND = "an npz file"
_MOST_HEADER_BYTES = 10_000
_HEADERS = {
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}


def read_npz(
    file: str | Path,
    images: str | None = None,
    factors: str | None = None,
    *,
    rows: Any = None,
    most_bytes: int = MOST_BYTES,
) -> Examples:
    """Examples, and their factors where there are any, from an npz file.

    It reads dSprites' own file, Keras' `mnist.npz`, and whatever `numpy.savez` wrote. Arrays of
    Python objects, which only pickle could read, are refused if asked for and skipped if not.

    Args:
        file: where it is.
        images: name of the array of examples, of bool, uint8 or floats, `[n, features]`,
            `[n, height, width]` or `[n, height, width, channels]`; the first of `DATA_NAMES` that
            is there where not given. Bytes go to [0, 1].
        factors: name of the array of factors or labels, `[n]` or `[n, factors]`; the first of
            `FACTOR_NAMES` that is there where not given.
        rows: indices of the examples to read, None for all. The others take no memory.
        most_bytes: refuse to read more than this, counted as float32.

    Raises:
        DataError: the file is missing or broken, has no such array, or one of another type or
            shape, or larger than allowed.

    Example:
        >>> import tempfile, numpy
        >>> file = tempfile.NamedTemporaryFile(suffix=".npz")
        >>> numpy.savez(file, x=numpy.zeros((3, 4, 5), numpy.uint8), y=numpy.arange(3))
        >>> read_npz(file.name, rows=[2, 0]).factors.tolist()
        [[2], [0]]
    """
    with (
        reading(file, KIND),
        disk.opened(Path(file).expanduser()) as opened,
        zipfile.ZipFile(opened) as archive,
    ):
        names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
        data_name = _name("images", images, DATA_NAMES, names, file)
        with _opened(archive, data_name, file) as (numbers, dtype, shape):
            check_pixels(file, dtype, shape)
            wanted = _rows(rows, shape[0])
            count = shape[0] if wanted is None else len(wanted)
            check_size(file, count * prod(shape[1:]), most_bytes)
            pixels = with_channels(numbers.pixels(wanted))
        if factors is None and not set(FACTOR_NAMES) & set(names):
            return Examples(pixels, copy=False)
        factor_name = _name("factors", factors, FACTOR_NAMES, names, file)
        with _opened(archive, factor_name, file) as (numbers, dtype, shape):
            check_factors(file, dtype, shape)
            wanted = _rows(rows, shape[0])
            check_size(file, len(pixels) * prod(shape[1:]), most_bytes, dtype)
            found = numbers.rows(wanted)
    return Examples(pixels, found.reshape(len(found), -1), copy=False)


def _name(
    argument: str,
    given: str | None,
    usual: tuple[str, ...],
    present: Collection[str],
    file: str | Path,
) -> str:
    """The name of the array that is meant."""
    wanted = usual if given is None else (given,)
    for name in wanted:
        if name in present:
            return name
    raise DataError(
        f"{argument} must name an array of {file}, which has "
        f"{', '.join(map(repr, present)) or 'none'}, and not {' or '.join(map(repr, wanted))}."
    )


@contextmanager
def _opened(
    archive: zipfile.ZipFile, name: str, file: str | Path
) -> Iterator[tuple[Numbers, np.dtype[Any], tuple[int, ...]]]:
    """The numbers of an array, and the type and shape that its header says."""
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream:
        shape, by_columns, dtype = _header(stream)
        if dtype.kind not in "buif" or not shape or min(shape) < 0:
            raise DataError(
                f"{name} of {file} must be an array of numbers, a row for each example, "
                f"not of {dtype}{list(shape)}."
            )
        if member.file_size != stream.tell() + prod(shape) * dtype.itemsize:
            raise DataError(f"{name} of {file} has not the size that its header says.")
        yield Numbers(stream, dtype, shape, by_columns=by_columns), dtype, shape


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is by columns, and type; at most 10,000 bytes are read, numpy's limit."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"its npy version is {version}, not (1, 0) or (2, 0)")
    width, read = _HEADERS[version]
    length = stream.read(width)
    size = int.from_bytes(length, "little")
    if size > _MOST_HEADER_BYTES:
        raise ValueError(f"its header must have at most {_MOST_HEADER_BYTES:,} bytes, not {size:,}")
    return read(io.BytesIO(length + stream.read(size)))


def _rows(rows: Any, count: int) -> Array | None:
    """Indices from 0 to `count` - 1, None for all."""
    if rows is None:
        return None
    wanted = np.asarray(rows)
    if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
        raise DataError(f"rows must be indices [rows], not {wanted.dtype}{list(wanted.shape)}.")
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < count:
        raise DataError(
            f"rows must be from 0 to {count - 1}, not from {wanted.min()} to {wanted.max()}."
        )
    return wanted
