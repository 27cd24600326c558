"""The arguments of a formula: their names, their shapes, and the type that they are computed in.

Names and shapes are those of the annotations, so that they are written once. All of it but
`native` and `owned` runs when a formula is traced, and leaves nothing in the compiled program.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, cast, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

T = TypeVar("T")
_CUTOFF = 0.75
"""Below it names share letters and no meaning: `hiden_sizes` and `input_size` have 0.67."""


@dataclass(frozen=True)
class Argument:
    """What an annotation says of an array.

    Attributes:
        name: of the argument, with the field of a named tuple.
        axes: names of its axes; one that begins with `*`, or is `...`, stands for any number.
        floats: whether it holds real numbers, or else indices.
    """

    name: str
    axes: tuple[str, ...]
    floats: bool


@dataclass(frozen=True)
class Arguments:
    """The arguments of a function, in their order.

    Attributes:
        function: its name.
        named: the arrays of each argument, several where it is a named tuple.
    """

    function: str
    named: Mapping[str, tuple[Argument, ...]]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Arguments":
        """What the annotations of a function say."""
        hints = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
        named = {name: tuple(_described(name, hint)) for name, hint in hints.items()}
        return cls(function.__name__, named)

    def native(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, Any]:
        """The values of a call as JAX takes them without a change of their numbers, its own.

        Raises:
            TypeError: there is no argument of a name.
        """
        if kwargs:
            options(self.function, kwargs, self.named)
        given = zip(self.named.values(), args, strict=False)
        positional = [_native(value, arrays) for arrays, value in given]
        by_name = {name: _native(value, self.named[name]) for name, value in kwargs.items()}
        return (*positional, *args[len(positional) :]), by_name

    def computed(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], np.dtype | None]:
        """The values of a call, all of them in the widest of their float types, or in float32.

        Returns:
            The values; and the 16-bit type that the result is rounded to, None for as it is.

        Raises:
            TypeError: a value is not an array of real numbers, or, for indices, of integers.
            ValueError: its shape does not match its annotation, or that of another.
        """
        values = {
            array: value
            for name, arrays in self.named.items()  # in their order, which JAX does not keep
            if name in given
            for array, value in _each(arrays, given[name])
        }
        for array, value in values.items():
            _check_type(array, value)
        _check_shapes(values)
        floats = {v.dtype for a, v in values.items() if a.floats and _is_strong_float(v)}
        wide = max((*floats, np.dtype(np.float32)), key=lambda dtype: dtype.itemsize)
        cast = {a: _as_float(v, wide) if a.floats else _as_index(v) for a, v in values.items()}
        narrow = min(floats) if len(floats) == 1 and wide not in floats else None
        return {
            name: _together(whole, [cast[array] for array in self.named[name]])
            for name, whole in given.items()
        }, narrow


def options(function: str, given: Collection[str], allowed: Collection[str]) -> None:
    """Refuse names that a function does not have.

    Raises:
        TypeError: the first of `given` that is not in `allowed`, and the nearest that is.
    """
    for name in given:
        if name not in allowed:
            raise TypeError(
                f"{function} has no option {name!r}; it takes "
                f"{', '.join(allowed)}{nearest(name, allowed)}"
            )


def nearest(value: object, allowed: Collection[str]) -> str:
    """The end of a sentence: an offer of the member of `allowed` nearest to `value`, if one is.

    It is the one most alike, or else the only one with the same letters or with all the words.
    """
    given = str(value)[:99].lower()
    by_lower = {name.lower(): name for name in sorted(allowed, reverse=True)}
    found = get_close_matches(given, sorted(by_lower), n=1, cutoff=_CUTOFF)
    if not found:
        found = [name for name in by_lower if sorted(name) == sorted(given) or _within(given, name)]
    return f"; did you mean {by_lower[found[0]]!r}?" if len(found) == 1 else "."


def _within(given: str, name: str) -> bool:
    words = name.split("_")
    return all(get_close_matches(word, words, n=1, cutoff=_CUTOFF) for word in given.split("_"))


def _described(name: str, hint: Any) -> Iterator[Argument]:
    """The arrays of an argument, from its annotation."""
    if hasattr(hint, "_fields"):
        for field in hint._fields:
            yield from _described(f"{name}.{field}", hint.__annotations__[field])
        return
    arrays = [kind for kind in (get_args(hint) or (hint,)) if hasattr(kind, "dim_str")]
    yield Argument(
        name, tuple(arrays[0].dim_str.split()), any(kind.dtype is Float for kind in arrays)
    )


def _each(arrays: tuple[Argument, ...], value: Any) -> Iterator[tuple[Argument, Any]]:
    """The arrays of an argument, each with its value."""
    yield from zip(arrays, value if len(arrays) > 1 else (value,), strict=True)


def _together(whole: Any, values: list[Any]) -> Any:
    """What `_each` took apart."""
    return type(whole)(*values) if len(values) > 1 else values[0]


def native(value: T) -> T:
    """`value` as JAX takes it without a change of its numbers.

    JAX takes the bytes of another order as they stand where a program is compiled already, and cuts
    integers of 64 bits to 32: those that do not fit become float32.
    """
    given: Any = value
    if type(given) is int:
        return cast(T, given if -(2**31) <= given < 2**31 else float(given))
    if not isinstance(given, np.ndarray | np.generic):
        return value
    if not given.dtype.isnative:
        given = given.astype(given.dtype.newbyteorder("="))
    if given.dtype.kind in "iu" and given.dtype.itemsize == 8 and not _fits(given):
        given = given.astype(np.float32)
    return cast(T, given)


def owned(value: T) -> T:
    """`value` as `native` returns it, and a copy where it is an array of numpy.

    JAX reads memory of numpy where it stands, and may do so when its owner has filled it anew.
    """
    result = native(value)
    copy = result is value and isinstance(value, np.ndarray)
    return cast(T, np.array(result)) if copy else result


def _native(value: Any, arrays: tuple[Argument, ...]) -> Any:
    if isinstance(value, jax.Array):
        return value
    if len(arrays) > 1 and isinstance(value, tuple):
        return type(value)(*(_native(v, (a,)) for a, v in zip(arrays, value, strict=False)))
    if isinstance(value, str | bytes):
        raise _no_array(arrays[0], value)
    dtype = value.dtype if isinstance(value, np.ndarray | np.generic) else None
    if dtype is not None and (dtype.kind in "USOMm" or dtype.itemsize > 8):
        raise _wrong_numbers(arrays[0], dtype)
    return owned(value)


def _fits(value: Any) -> bool:
    """Whether integers are what they are in the type that JAX holds them in."""
    held = jnp.result_type(value)
    if held == value.dtype or not value.size:
        return True
    limits = np.iinfo(held)
    return bool(limits.min <= value.min() and value.max() <= limits.max)


def _no_array(array: Argument, value: object) -> TypeError:
    return TypeError(
        f"{array.name} must be an array, not a {type(value).__name__}; jax.numpy.asarray makes one."
    )


def _wrong_numbers(array: Argument, dtype: np.dtype) -> TypeError:
    what = "integers or floats" if array.floats else "integers"
    return TypeError(f"{array.name} must hold {what}, not {dtype}.")


def _check_type(array: Argument, value: Any) -> None:
    if not isinstance(value, jax.Array | np.ndarray | np.generic | bool | int | float):
        raise _no_array(array, value)
    dtype = jnp.result_type(value)
    real = any(jnp.issubdtype(dtype, kind) for kind in (jnp.floating, jnp.bool_))
    if not jnp.issubdtype(dtype, jnp.integer) and not (array.floats and real):
        raise _wrong_numbers(array, dtype)


def _check_shapes(values: Mapping[Argument, Any]) -> None:
    """Compare the axes of the same name; nothing is broadcast."""
    bound: dict[str, tuple[Argument, tuple[int, ...]]] = {}
    shapes = {array: jnp.shape(value) for array, value in values.items()}
    for array, shape in shapes.items():
        for axis, sizes in _bound(array, shape):
            first, wanted = bound.setdefault(axis, (array, sizes))
            if sizes == wanted:
                continue
            if array.axes == first.axes:
                raise ValueError(
                    f"{first.name} and {array.name} must have the same shape, "
                    f"not {list(shapes[first])} and {list(shape)}."
                )
            raise ValueError(
                f"{array.name} must have the shape {_words(array.axes)}, with "
                f"{axis.lstrip('*')} {' '.join(map(str, wanted))} as in {first.name} of "
                f"{list(shapes[first])}, not {list(shape)}."
            )


def _bound(array: Argument, shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The sizes of each named axis.

    Raises:
        ValueError: there are more axes, or fewer.
    """
    axes = array.axes
    several = next((i for i, axis in enumerate(axes) if axis[0] in "*."), None)
    extra = len(shape) - len(axes)
    if extra < -1 or (extra and several is None):
        what = f"have the shape {_words(axes)}" if axes else "be one number"
        raise ValueError(f"{array.name} must {what}, not an array of {list(shape)}.")
    start = 0
    for index, axis in enumerate(axes):
        end = start + 1 + (extra if index == several else 0)
        if axis != "...":
            yield axis, shape[start:end]
        start = end


def _words(axes: tuple[str, ...]) -> str:
    return f"[{', '.join('...' if axis[0] == '*' else axis for axis in axes)}]"


def _is_strong_float(value: Any) -> bool:
    """Whether a value is of a float type of its own, unlike a Python number."""
    if not isinstance(value, jax.Array | np.ndarray | np.generic):
        return False
    return jnp.issubdtype(value.dtype, jnp.floating) and not getattr(value, "weak_type", False)


def _as_float(value: Any, dtype: np.dtype) -> Any:
    """A real number in a float type; a Python number stays one, and takes the type of others."""
    if isinstance(value, float) or getattr(value, "weak_type", False):
        return value * 1.0
    if type(value) is int:
        return float(value)
    return jnp.asarray(value, dtype)


def _as_index(value: Any) -> Any:
    """An integer in int32; a Python number stays one."""
    if isinstance(value, int) or getattr(value, "weak_type", False):
        return value
    return jnp.asarray(value, jnp.int32)
