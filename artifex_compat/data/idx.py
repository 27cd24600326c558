"""IDX, the format of MNIST's files, as they are or gzipped."""

import gzip
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from artifex_compat.data.examples import Examples
from artifex_compat.data.files import (
    MOST_BYTES,
    Array,
    as_factors,
    as_pixels,
    check_size,
    reading,
)

KIND = "an IDX file"
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


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
    pixels = as_pixels(images, idx_array(images, most_bytes=most_bytes))
    if labels is None:
        return Examples(pixels)
    found = as_factors(labels, idx_array(labels, most_bytes=most_bytes))
    return Examples(pixels, found, ("label",) if found.shape[1] == 1 else ())


def idx_array(file: str | Path, *, most_bytes: int = MOST_BYTES) -> Array:
    """The array of an IDX file, gzipped or not.

    Args:
        file: where it is.
        most_bytes: refuse to read more than this, counted as float32.

    Raises:
        DataError: the file is missing, broken, or larger than allowed.
    """
    with reading(file, KIND), Path(file).open("rb") as raw:
        zipped = raw.read(2) == _GZIP
        raw.seek(0)
        if zipped:
            with gzip.open(raw) as stream:
                return _read(stream, file, most_bytes)
        return _read(raw, file, most_bytes)


def _read(stream: Any, file: str | Path, most_bytes: int) -> Array:
    magic = stream.read(4)
    if len(magic) != 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES:
        raise ValueError("it does not begin with IDX's magic number")
    code, rank = magic[2:]
    header = stream.read(4 * rank)
    if len(header) != 4 * rank:
        raise EOFError("it is cut short")
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    check_size(file, prod(shape), most_bytes)
    dtype = np.dtype(_TYPES[code])
    size = prod(shape) * dtype.itemsize
    data = stream.read(size + 1)
    if len(data) != size:
        raise ValueError(
            f"it must hold {size} bytes for {list(shape)}, and has "
            f"{'more' if len(data) > size else len(data)}"
        )
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
