"""A user's own npz file: arrays read in blocks, with their size checked before. No pickle."""

import zipfile
from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from artifex_compat.data.examples import Examples
from artifex_compat.data.files import (
    MOST_BYTES,
    Array,
    DataError,
    as_factors,
    as_pixels,
    check_size,
    reading,
)

DATA_NAMES = ("images", "imgs", "image", "x", "data", "x_train")
FACTOR_NAMES = ("factors", "latents_classes", "labels", "label", "y", "y_train")
KIND = "an npz file"
_BLOCK_BYTES = 2**24


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
    with reading(file, KIND), zipfile.ZipFile(file) as archive:
        names = [member.removesuffix(".npy") for member in archive.namelist()]
        data_name = _name("images", images, DATA_NAMES, names, file)
        pixels = as_pixels(file, _read(archive, data_name, file, rows, most_bytes))
        if factors is None and not set(FACTOR_NAMES) & set(names):
            return Examples(pixels)
        factor_name = _name("factors", factors, FACTOR_NAMES, names, file)
        found = as_factors(file, _read(archive, factor_name, file, rows, most_bytes))
    return Examples(pixels, found)


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


def _read(
    archive: zipfile.ZipFile, name: str, file: str | Path, rows: Any, most_bytes: int
) -> Array:
    """Some rows of an array, `[rows, ...]`."""
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream:
        shape, by_columns, dtype = _header(stream)
        size = prod(shape)
        if dtype.kind not in "buif" or not shape or min(shape) < 0:
            raise DataError(
                f"{name} of {file} must be an array of numbers, a row for each example, "
                f"not of {dtype}{list(shape)}."
            )
        if member.file_size != stream.tell() + size * dtype.itemsize:
            raise DataError(f"{name} of {file} has not the size that its header says.")
        wanted = _rows(rows, shape[0])
        row = prod(shape[1:])
        check_size(file, size if by_columns else len(wanted) * row, most_bytes)
        if by_columns:
            whole = np.frombuffer(_exactly(stream, size * dtype.itemsize), dtype)
            return whole.reshape(shape, order="F")[wanted]
        return _rows_of(stream, dtype, row, wanted).reshape(len(wanted), *shape[1:])


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"its npy version is {version}, not (1, 0) or (2, 0)")
    return read[version](stream)


def _rows(rows: Any, count: int) -> Array:
    """Indices from 0 to `count` - 1."""
    if rows is None:
        return np.arange(count)
    wanted = np.asarray(rows)
    if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
        raise DataError(f"rows must be indices [rows], not {wanted.dtype}{list(wanted.shape)}.")
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < count:
        raise DataError(
            f"rows must be from 0 to {count - 1}, not from {wanted.min()} to {wanted.max()}."
        )
    return wanted


def _rows_of(stream: IO[bytes], dtype: np.dtype[Any], row: int, wanted: Array) -> Array:
    """Rows of `row` numbers each, `[wanted, row]`, in the order asked for."""
    result: Array = np.empty((len(wanted), row), dtype)
    order = np.argsort(wanted, kind="stable")
    ascending = wanted[order]
    row_bytes = row * dtype.itemsize
    step = max(1, _BLOCK_BYTES // max(1, row_bytes))
    last = int(ascending[-1]) + 1 if len(ascending) else 0
    for start in range(0, last, step):
        stop = min(start + step, last)
        block = np.frombuffer(_exactly(stream, (stop - start) * row_bytes), dtype)
        first, end = np.searchsorted(ascending, (start, stop))
        result[order[first:end]] = block.reshape(-1, row)[ascending[first:end] - start]
    return result


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise EOFError("it is cut short")
    return data
