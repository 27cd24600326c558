"""Arrays as the protocol writes them: `{"dtype": "float32", "shape": [2, 3], "data": "..."}`."""

import base64
import binascii
import math
import reprlib
from typing import Any

import numpy as np

from golden.arrays import DTYPES, Array

_DTYPES = {dtype.name: dtype for dtype in DTYPES.values()}
_MOST_EXTENT = 2**31
_MOST_AXES = 32


class ArrayError(ValueError):
    """What is no array, and why, in one sentence."""


def encode(array: Array) -> dict[str, Any]:
    """An array as JSON holds it: row-major, little-endian, in base64 with padding.

    Raises:
        ArrayError: its dtype is not one of the protocol's.
    """
    if array.dtype.name not in _DTYPES:
        raise ArrayError(f"dtype must be one of {', '.join(_DTYPES)}, not {array.dtype}")
    content = array.astype(array.dtype.newbyteorder("<")).tobytes()
    data = base64.b64encode(content).decode("ascii")
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def decode(value: object) -> Array:
    """The array that JSON holds. Its size is known to be that of its data before it is allocated.

    Raises:
        ArrayError: it is no array.
    """
    if not isinstance(value, dict) or not {"dtype", "shape", "data"} <= value.keys():
        raise ArrayError(f"an array has dtype, shape and data, not {reprlib.repr(value)}")
    name, shape, data = value["dtype"], value["shape"], value["data"]
    if not isinstance(name, str) or name not in _DTYPES:
        raise ArrayError(f"dtype must be one of {', '.join(_DTYPES)}, not {reprlib.repr(name)}")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise ArrayError(f"shape must be a list of integers from 0, not {reprlib.repr(shape)}")
    if len(shape) > _MOST_AXES or max(shape, default=0) > _MOST_EXTENT:
        raise ArrayError(f"shape {reprlib.repr(shape)} is larger than any array")
    dtype = _DTYPES[name]
    nbytes = dtype.itemsize * math.prod(shape)
    letters = 4 * -(-nbytes // 3)
    if not isinstance(data, str) or len(data) != letters:
        had = f"{len(data)}" if isinstance(data, str) else reprlib.repr(data)
        raise ArrayError(f"data of {name}{shape} must be {letters} letters of base64, not {had}")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ArrayError("data is no base64 of the standard alphabet") from None
    if len(content) != nbytes or base64.b64encode(content).decode("ascii") != data:
        raise ArrayError(f"data is no base64 of {nbytes} bytes")
    if name == "bool" and max(content, default=0) > 1:
        raise ArrayError("a bool is a byte of 0 or 1")
    try:
        array = np.frombuffer(content, dtype.newbyteorder("<")).reshape(shape)
    except ValueError:
        raise ArrayError(f"shape {shape} is larger than any array") from None
    return array.astype(dtype)
