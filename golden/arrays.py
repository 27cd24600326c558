"""The arrays of cases: how a dtype and a shape are written, and what numpy makes of them."""

import re
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DTYPES: dict[str, np.dtype[Any]] = {
    "pred": np.dtype(np.bool_),
    **{
        f"{kind}{8 * size}": np.dtype(f"{letter}{size}")
        for kind, letter in (("u", "u"), ("s", "i"))
        for size in (1, 2, 4, 8)
    },
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
}
"""Nx's names. numpy's own (float32, int64, ...) are read too."""

_BY_NAME = DTYPES | {dtype.name: dtype for dtype in DTYPES.values()}
_NAMES = {dtype.name: name for name, dtype in DTYPES.items()}
_DECLARATION = re.compile(r"(?P<dtype>[a-z]+[0-9]*)\[(?P<shape>[0-9]*(?:, ?[0-9]+)*)\]")
_MOST_BYTES = 2**31


def dtype_of(name: object) -> np.dtype[Any]:
    """The dtype of a name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in _BY_NAME:
        raise ValueError(f"unknown dtype {name!r}; known are {', '.join(DTYPES)}")
    return _BY_NAME[str(name)]


def name_of(dtype: np.dtype[Any]) -> str:
    """Nx's name of a dtype, or numpy's where Nx has none."""
    return _NAMES.get(dtype.name, dtype.name)


@dataclass(frozen=True)
class Declaration:
    """What a case says of an array: `f32[2, 3]`."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @classmethod
    def parse(cls, text: object) -> "Declaration":
        """Read `dtype[shape]`.

        Raises:
            ValueError: it is not of that form, or of more than 2 GiB.
        """
        match = _DECLARATION.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"an array is declared as dtype[shape], like f32[2, 3], not {text!r}")
        shape = tuple(int(size) for size in match["shape"].split(",") if size)
        declaration = cls(dtype_of(match["dtype"]), shape)
        if declaration.nbytes > _MOST_BYTES or max(shape, default=0) > _MOST_BYTES:
            raise ValueError(f"{text} is larger than {_MOST_BYTES} bytes")
        return declaration

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        size = self.dtype.itemsize
        for extent in self.shape:
            size *= extent
        return size

    @property
    def stored(self) -> np.dtype[Any]:
        """The dtype in a file: bfloat16 as its bits."""
        return np.dtype(np.uint16) if self.dtype == DTYPES["bf16"] else self.dtype

    def __str__(self) -> str:
        return f"{name_of(self.dtype)}{list(self.shape)}"


def describe(array: Array) -> str:
    """The declaration that fits an array."""
    return str(Declaration(array.dtype, array.shape))
