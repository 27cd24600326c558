"""Nx.Random: the keys and numbers that Elixir's Nx draws, bit for bit.

The generator is `threefry`, our own, so that no JAX flag or release moves the numbers. A key is a
uint32[2] array; a typed JAX threefry key is accepted wherever a key is. `uniform` and `normal`
return the next key beside their value; draw from each key once.
"""

import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike, DTypeLike

from edifice_py import checks, nx, threefry
from edifice_py.core import special


@checks.named
def key(seed: int) -> jax.Array:
    """The key of a seed.

    Args:
        seed: an integer from -2^63 to 2^64 - 1; a negative one counts as its two's complement.

    Returns:
        uint32[2]: the high and the low half of the seed.

    Raises:
        ValueError: `seed` is no integer, or needs more than 64 bits.

    Reference:
        Nx.Random.key/1.

    Example:
        >>> key(999_999_999_999).tolist()
        [232, 3567587327]
    """
    return jnp.asarray(_words("seed", seed))


@checks.named
def split(key: jax.Array, parts: int = 2) -> jax.Array:
    """Independent keys from one.

    Args:
        key: the key to split; do not use it again.
        parts: how many keys, at least 1.

    Returns:
        uint32[parts, 2].

    Raises:
        TypeError, ValueError: `key` is no key, or `parts` no positive integer.

    Reference:
        Nx.Random.split/2.

    Example:
        >>> split(key(1701)).tolist()
        [[56197195, 1801093307], [961309823, 1704866707]]
    """
    return _split(checks.threefry_key("key", key), checks.positive_int("parts", parts))


@checks.named
def fold_in(key: jax.Array, data: ArrayLike) -> jax.Array:
    """A key from a key and a number.

    Args:
        key: the key to derive from.
        data: an array of integers, or a Python integer of up to 64 bits. Of the latter the low 32
            bits count, as a signed number: so Nx reads it. Give a numpy int64 for more.

    Returns:
        uint32[2], or uint32[..., 2] for an array of shape `[...]`.

    Raises:
        TypeError, ValueError: `key` is no key, or `data` no integer of up to 64 bits.

    Reference:
        Nx.Random.fold_in/2.

    Example:
        >>> fold_in(key(42), 99).tolist()
        [2015327502, 1351855566]
    """
    words = checks.threefry_key("key", key)
    if isinstance(data, np.ndarray | np.generic | jax.Array) and data.dtype.kind in "iu":
        return _fold_in(words, _array_words(data))
    low = _words("data", data)[1].astype(np.int32)
    return _fold_in(words, _array_words(low))


@checks.named
def uniform(
    key: jax.Array,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike = jnp.float32,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
) -> tuple[jax.Array, jax.Array]:
    """Numbers uniform in [minval, maxval).

    Args:
        key: the key to draw with.
        shape: the shape of the value.
        dtype: float16, bfloat16, float32, or float64 where `jax_enable_x64` is on.
        minval: the lower end, included; a number (a Python float is float32, as in Nx) or an array
            that broadcasts to `shape`.
        maxval: the upper end, excluded but for rounding.

    Returns:
        `(value, new_key)`: the numbers and the key for the next draw. No gradient flows.

    Raises:
        TypeError, ValueError: `key` is no key, `shape` or `dtype` not one to draw, or another
            argument does not broadcast to `shape`.

    Reference:
        Nx.Random.uniform/4. Differs in bfloat16 with other ends than 0 and 1, where
        Nx.BinaryBackend truncates and this rounds to nearest.

    Example:
        >>> value, new_key = uniform(key(1701))
        >>> float(value)
        0.9728643894195557
    """
    drawn = _drawn(shape, dtype)
    words = checks.threefry_key("key", key)
    ends = _number("minval", minval, drawn[0]), _number("maxval", maxval, drawn[0])
    return _uniform(words, *ends, *drawn)


@checks.named
def normal(
    key: jax.Array,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike = jnp.float32,
    mean: ArrayLike = 0.0,
    standard_deviation: ArrayLike = 1.0,
) -> tuple[jax.Array, jax.Array]:
    """Numbers from a normal distribution: sqrt(2) erf_inv(u), u uniform in (-1, 1).

    Args:
        key: the key to draw with.
        shape: the shape of the value.
        dtype: float16, bfloat16, float32, or float64 where `jax_enable_x64` is on.
        mean: a number (a Python float is float32, as in Nx) or an array that broadcasts to `shape`.
        standard_deviation: likewise.

    Returns:
        `(value, new_key)`: the numbers and the key for the next draw. No gradient flows.

    Raises:
        TypeError, ValueError: `key` is no key, `shape` or `dtype` not one to draw, or another
            argument does not broadcast to `shape`.

    Reference:
        Nx.Random.normal/4. Differs in float64 by up to 2e-7, where Nx's erf_inv is off, and in
        bfloat16, where Nx.BinaryBackend truncates and this rounds to nearest.

    Example:
        >>> value, new_key = normal(key(42))
        >>> float(value)
        1.3694695234298706
    """
    drawn = _drawn(shape, dtype)
    words = checks.threefry_key("key", key)
    deviation = _number("standard_deviation", standard_deviation, drawn[0])
    return _normal(words, _number("mean", mean, drawn[0]), deviation, *drawn)


def uniform_with(
    key: jax.Array, minval: ArrayLike, maxval: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike
) -> jax.Array:
    """As `uniform`, but drawn with the key itself, unchecked: Nx.Random.uniform_split/4."""
    return _uniform_with(key, nx.number(minval), nx.number(maxval), shape, jnp.dtype(dtype))


def _words(name: str, value: object) -> np.ndarray:
    """A 64-bit integer as its high and low uint32."""
    integer = checks.integer(value)
    if integer is None or not -(2**63) <= integer < 2**64:
        raise ValueError(f"{name} must be an integer from -2**63 to 2**64 - 1, not {value!r}.")
    return np.array([integer >> 32 & 0xFFFFFFFF, integer & 0xFFFFFFFF], np.uint32)


def _array_words(data: np.ndarray | np.generic | jax.Array) -> jax.Array:
    """Integers of any width as uint32[2, ...], their high and low words; the sign is extended."""
    if not isinstance(data, jax.Array):  # JAX would cut 64 bits to 32 where x64 is off
        wide = data.astype(np.uint64)
        return jnp.asarray(np.stack([wide >> np.uint64(32), wide]).astype(np.uint32))
    if data.dtype.itemsize == 8:
        high = data >> 32
    else:
        negative = jnp.issubdtype(data.dtype, jnp.signedinteger) & (data < 0)
        high = jnp.where(negative, jnp.uint32(0xFFFFFFFF), jnp.uint32(0))
    return jnp.stack([high.astype(jnp.uint32), data.astype(jnp.uint32)])


def _number(name: str, value: ArrayLike, shape: tuple[int, ...]) -> ArrayLike:
    """A number as Nx reads it, or an array, broadcast to a shape."""
    number = nx.number(checks.broadcasts(name, value, shape))
    return jnp.broadcast_to(number, shape) if jnp.ndim(number) else number


def _drawn(shape: object, dtype: DTypeLike) -> tuple[tuple[int, ...], np.dtype]:
    """The shape and dtype of a draw, checked."""
    sizes = checks.shape("shape", shape)
    try:
        kind = jnp.dtype(checks.choice("dtype", dtype, checks.FLOATS) if dtype is None else dtype)
    except TypeError:
        checks.choice("dtype", dtype, checks.FLOATS)
        raise
    checks.choice("dtype", kind.name, checks.FLOATS)
    if kind == jnp.float64 and jax.dtypes.canonicalize_dtype(kind) != kind:
        raise ValueError(
            "dtype float64 needs jax_enable_x64, which is off; turn it on or ask for float32."
        )
    if math.prod(sizes) * kind.itemsize >= 2**34:  # they are counted in 32 bits
        raise ValueError(f"shape must hold fewer than 2**32 words of 32 bits, not {list(sizes)}.")
    return sizes, kind


@partial(jax.jit, static_argnums=1)
def _split(key: jax.Array, parts: int) -> jax.Array:
    return threefry.words(key, 2 * parts).reshape(parts, 2)


@jax.jit
def _fold_in(key: jax.Array, words: jax.Array) -> jax.Array:
    high, low = words
    return jnp.stack(threefry.encipher(key, high, low), axis=-1)


@partial(jax.jit, static_argnums=(3, 4))
def _uniform(
    key: jax.Array, minval: ArrayLike, maxval: ArrayLike, shape: tuple[int, ...], dtype: np.dtype
) -> tuple[jax.Array, jax.Array]:
    new_key, draw_key = _split(key, 2)
    return _uniform_with(draw_key, minval, maxval, shape, dtype), new_key


@partial(jax.jit, static_argnums=(3, 4))
def _normal(
    key: jax.Array, mean: ArrayLike, deviation: ArrayLike, shape: tuple[int, ...], dtype: np.dtype
) -> tuple[jax.Array, jax.Array]:
    new_key, draw_key = _split(key, 2)
    just_above_minus_one = np.float64(jnp.finfo(dtype).epsneg) - 1
    u = _uniform_with(draw_key, just_above_minus_one, 1, shape, dtype).astype(nx.working(dtype))
    root_two = nx.rounded(np.sqrt(np.float64(2)), dtype)
    standard = nx.rounded(root_two * nx.rounded(special.erf_inv(u), dtype), dtype)
    scaled = nx.rounded(nx.rounded(deviation, dtype) * standard, dtype)
    value = nx.rounded(scaled + nx.rounded(mean, dtype), dtype)
    return lax.stop_gradient(value.astype(dtype)), new_key


@partial(jax.jit, static_argnums=(3, 4))
def _uniform_with(
    key: jax.Array, minval: ArrayLike, maxval: ArrayLike, shape: tuple[int, ...], dtype: np.dtype
) -> jax.Array:
    low, high = nx.rounded(minval, dtype), nx.rounded(maxval, dtype)
    from_one = _from_one(key, shape, dtype)
    unit = from_one - 1
    # A compiler may contract a product and a sum into one instruction that rounds once, where Nx
    # rounds twice. A choice between the two that it cannot foresee keeps them apart.
    product = jnp.where(from_one < 2, unit * nx.rounded(high - low, dtype), from_one)
    value = jnp.maximum(nx.rounded(nx.rounded(product, dtype) + low, dtype), low)
    return lax.stop_gradient(value.astype(dtype))


def _from_one(key: jax.Array, shape: tuple[int, ...], dtype: np.dtype) -> jax.Array:
    """Numbers uniform in [1, 2), in the working dtype: random bits behind the exponent of 1."""
    size, width = math.prod(shape), 8 * dtype.itemsize
    if width == 64:
        high, low = threefry.words(key, 2 * size).reshape(2, size).astype(jnp.uint64)
        bits = high << 32 | low
    else:
        # A 16-bit float takes the low half of a 32-bit word.
        bits = threefry.words(key, size).astype(f"uint{width}")
    one = np.ones((), dtype).view(bits.dtype)
    numbers = lax.bitcast_convert_type(bits >> (width - jnp.finfo(dtype).nmant) | one, dtype)
    return numbers.reshape(shape).astype(nx.working(dtype))
