"""The arrays that travel: their types, under the names of Nx, numpy and safetensors, and bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, TypeAlias

import jax
import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from edifice_py.interchange.errors import InterchangeError, place, shortened

Array: TypeAlias = NDArray[Any]
Endianness = Literal["little", "big"]
MOST_AXES = 32


@dataclass(frozen=True)
class Type:
    """A type of numbers.

    Attributes:
        kind: Nx's letter: f, bf, s or u.
        bits: of one number.
        dtype: numpy's.
        safetensors: the name there.
    """

    kind: str
    bits: int
    dtype: np.dtype[Any]
    safetensors: str

    def __str__(self) -> str:
        return f"{self.kind}{self.bits}"


TYPES = (
    Type("f", 16, np.dtype(np.float16), "F16"),
    Type("bf", 16, np.dtype(ml_dtypes.bfloat16), "BF16"),
    Type("f", 32, np.dtype(np.float32), "F32"),
    Type("f", 64, np.dtype(np.float64), "F64"),
    *(Type("s", bits, np.dtype(f"int{bits}"), f"I{bits}") for bits in (8, 16, 32, 64)),
    *(Type("u", bits, np.dtype(f"uint{bits}"), f"U{bits}") for bits in (8, 16, 32, 64)),
)
BY_DTYPE: Mapping[np.dtype[Any], Type] = {type_.dtype: type_ for type_ in TYPES}
BY_NX: Mapping[object, Type] = {(type_.kind, type_.bits): type_ for type_ in TYPES}
BY_SAFETENSORS: Mapping[object, Type] = {type_.safetensors: type_ for type_ in TYPES}
_NAMES = ", ".join(map(str, TYPES))


def readable(found: Type | None, name: object, path: tuple[str, ...]) -> Type:
    """A type that was looked up by a name.

    Raises:
        InterchangeError: there is none of that name.
    """
    if found is None:
        raise InterchangeError(
            f"{place(path)} has the type {shortened(name)}; those that can be read are {_NAMES}."
        )
    return found


def checked(value: object, path: tuple[str, ...]) -> Array:
    """A leaf of a tree as a numpy array of its own type, with the same bits.

    Args:
        value: an array of numpy or JAX, or one number of either.
        path: where it stands.

    Raises:
        InterchangeError: it is something else, or of a type that does not travel.
    """
    if not isinstance(value, np.ndarray | np.generic | jax.Array):
        raise InterchangeError(
            f"{place(path)} must be an array, or a dictionary or tuple of arrays, "
            f"not {shortened(value)}."
        )
    native = getattr(value.dtype, "newbyteorder", lambda _: value.dtype)("=")
    if native not in BY_DTYPE:
        raise InterchangeError(
            f"{place(path)} has the type {value.dtype}; those that can be written are {_NAMES}."
        )
    if value.ndim > MOST_AXES:
        raise InterchangeError(
            f"{place(path)} has {value.ndim} axes; at most {MOST_AXES} are allowed."
        )
    return np.asarray(value, native, order="C")


def from_bytes(
    buffer: bytes, start: int, type_: Type, shape: tuple[int, ...], endianness: Endianness
) -> Array:
    """A new array of numbers that stand in a buffer, which is known to have them all."""
    count = prod(shape)
    if not count:
        return np.empty(shape, type_.dtype)
    words = np.frombuffer(buffer, _words(type_, endianness), count, start)
    return words.astype(words.dtype.newbyteorder("=")).view(type_.dtype).reshape(shape)


def to_bytes(array: Array, endianness: Endianness) -> bytes:
    """The numbers of an array, row-major."""
    words = array.reshape(-1).view(f"u{array.itemsize}")
    return words.astype(_words(BY_DTYPE[array.dtype], endianness)).tobytes()


def _words(type_: Type, endianness: Endianness) -> str:
    """Unsigned words of a type's size: moving them keeps the bits of a NaN, as floats might not."""
    return f"{'<' if endianness == 'little' else '>'}u{type_.bits // 8}"
