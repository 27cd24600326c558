"""Checks of arguments: each passes its value on, or raises one sentence that says what to give."""

import math
import operator
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from edifice_py.core.arguments import native as native
from edifice_py.core.arguments import nearest
from edifice_py.core.arguments import options as options
from edifice_py.core.arguments import owned as owned

P = ParamSpec("P")
R = TypeVar("R")
FLOATS = ("float16", "bfloat16", "float32", "float64")


def integer(value: object) -> int | None:
    """`value` as an int, or None where it is not an integer (a bool is not one)."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]  # anything else raises TypeError
    except TypeError:
        return None


def positive_int(name: str, value: object) -> int:
    """`value` as an int of at least 1.

    Raises:
        ValueError: `value` is no integer, or not positive.
    """
    number = integer(value)
    if number is None or number < 1:
        raise ValueError(f"{name} must be a positive integer, not {value!r}.")
    return number


def sizes(name: str, value: object) -> tuple[int, ...]:
    """`value` as a tuple of positive ints; it may be empty.

    Raises:
        ValueError: `value` is no list or tuple, or one of its elements is no positive integer.
    """
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        integers = [integer(size) for size in value]
        if all(size is not None and size >= 1 for size in integers):
            return tuple(size for size in integers if size is not None)
    raise ValueError(f"{name} must be a list of positive integers, not {value!r}.")


def shape(name: str, value: object) -> tuple[int, ...]:
    """`value`, an int or a sequence of ints, as a tuple of non-negative ints.

    Raises:
        ValueError: one of the sizes is no integer, or negative.
    """
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    integers = [integer(size) for size in (cast(Sequence[object], value) if several else [value])]
    if all(size is not None and size >= 0 for size in integers):
        return tuple(size for size in integers if size is not None)
    raise ValueError(f"{name} must be a tuple of non-negative integers, not {value!r}.")


def choice(name: str, value: object, allowed: Collection[str]) -> str:
    """`value`, which must be one of `allowed`.

    Raises:
        ValueError: it is not; the sentence names the nearest of those allowed.
    """
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(
        f"{name} must be one of {', '.join(sorted(allowed))}, not {value!r}"
        f"{nearest(value, allowed)}"
    )


def named(function: Callable[P, R]) -> Callable[P, R]:
    """A function that names the nearest argument where it is given one that it does not have.

    Its arguments are those that it has annotations for; the `__init__` of a class speaks for it.
    """
    names = dict.fromkeys(n for n in function.__annotations__ if n != "return")

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not kwargs.keys() <= names.keys():
            owner = type(args[0]) if function.__name__ == "__init__" else function
            options(owner.__name__, kwargs, names)
        return function(*args, **kwargs)

    return checked


def array(name: str, value: object) -> ArrayLike:
    """`value`, an array of real numbers of at most 64 bits, or one number, as `owned` gives it.

    Raises:
        TypeError: it is a list, or something else that is no array, or holds other things.
    """
    check_array(name, value)
    return cast(ArrayLike, owned(value))


def check_array(name: str, value: object) -> None:
    """Refuse what is no array of real numbers of at most 64 bits, and no such number.

    Raises:
        TypeError: as `array`.
    """
    if isinstance(value, bool | int | float):
        return
    if not isinstance(value, np.ndarray | np.generic | jax.Array):
        raise TypeError(
            f"{name} must be an array, not {_describe(value)}; jax.numpy.asarray makes one."
        )
    if value.dtype.name not in (*FLOATS, "bool") and not jnp.issubdtype(value.dtype, jnp.integer):
        raise TypeError(f"{name} must hold integers, {', '.join(FLOATS)}, not {value.dtype}.")


def scalar(name: str, value: object) -> ArrayLike:
    """`value`, one real number, which may be traced.

    Raises:
        TypeError: it is no number.
        ValueError: it is an array of another shape than [].
    """
    number = array(name, value)
    if jnp.ndim(number) != 0:
        raise ValueError(f"{name} must be one number, not an array of {list(jnp.shape(number))}.")
    return number


def weight(name: str, value: object) -> ArrayLike:
    """`value`, one finite number of at least 0; a traced one is not looked at.

    Raises:
        TypeError: it is no number.
        ValueError: it is an array of another shape than [], or negative, or not finite.
    """
    number = scalar(name, value)
    if not isinstance(number, jax.core.Tracer) and not 0 <= float(np.asarray(number)) < math.inf:
        raise ValueError(f"{name} must be a non-negative number, not {number}.")
    return number


def same_shape(**arrays: object) -> tuple[ArrayLike, ArrayLike]:
    """Two arrays as `array` gives them, which must have the same shape; nothing is broadcast.

    Raises:
        TypeError: one of them is no array of real numbers.
        ValueError: names both arrays and their shapes.
    """
    (first, a), (second, b) = ((name, array(name, value)) for name, value in arrays.items())
    if jnp.shape(a) != jnp.shape(b):
        raise ValueError(
            f"{first} and {second} must have the same shape, "
            f"not {list(jnp.shape(a))} and {list(jnp.shape(b))}."
        )
    return a, b


def broadcasts(name: str, value: object, shape: tuple[int, ...]) -> ArrayLike:
    """`value`, a number or an array that broadcasts to `shape`.

    Raises:
        TypeError: it is no array of real numbers.
        ValueError: it does not broadcast.
    """
    checked = array(name, value)
    given = jnp.shape(checked)
    sizes = zip(reversed(given), reversed(shape), strict=False)
    if len(given) > len(shape) or any(a not in (1, b) for a, b in sizes):
        raise ValueError(
            f"{name} must be a number or broadcast to {list(shape)}, not an array of {list(given)}."
        )
    return checked


def threefry_key(name: str, value: object) -> jax.Array:
    """`value`, a uint32[2] array or a typed JAX threefry key, as a uint32[2] array.

    Raises:
        TypeError: `value` is no array of uint32 and no threefry key.
        ValueError: it has another shape than one key's.
    """
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        implementation = str(jax.random.key_impl(value))
        if implementation != "threefry2x32":
            raise TypeError(
                f"{name} must be a threefry2x32 key, not a key of {implementation!r}; "
                "make one with edifice_py.random.key(seed)."
            )
        value = jax.random.key_data(value)
    value = owned(value)
    dtype = getattr(value, "dtype", None)
    if dtype != jnp.uint32:
        raise TypeError(
            f"{name} must be a key, a uint32[2] array as from edifice_py.random.key(seed), "
            f"not {_describe(value)}."
        )
    key = jnp.asarray(value)
    if key.shape != (2,):
        raise ValueError(f"{name} must be one key of shape [2], not an array of {list(key.shape)}.")
    return key


def _describe(value: object) -> str:
    """`value` in a few words: an array by dtype and shape, anything else by its repr."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array of {value.dtype}{list(value.shape)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
