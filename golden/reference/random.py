"""Nx.Random in numpy: Threefry-2x32 and what is drawn with it.

Reference: Salmon et al. (2011), Parallel Random Numbers: As Easy as 1, 2, 3; Nx.Random, Nx 0.10.
"""

import numpy as np
from scipy.special import erfinv

from golden.arrays import Array

_MASK = 0xFFFFFFFF


def key(seed: int) -> Array:
    """The two halves of a 64-bit seed, uint32[2]."""
    return np.array([seed >> 32 & _MASK, seed & _MASK], np.uint32)


def split(parent: Array, parts: int) -> Array:
    """`parts` keys, uint32[parts, 2]."""
    return words(parent, 2 * parts).reshape(parts, 2)


def fold_in(parent: Array, data: int) -> Array:
    """The key of a 64-bit number, enciphered with the parent, uint32[2]."""
    return _threefry(parent, key(data).reshape(2, 1)).ravel()


def as_plain(number: int) -> int:
    """What Nx makes of a number that is no tensor: its low 32 bits, signed."""
    return int(np.uint32(number & _MASK).astype(np.int32))


def uniform(
    parent: Array, shape: tuple[int, ...], dtype: np.dtype, minval: float = 0, maxval: float = 1
) -> tuple[Array, Array]:
    """`(value, new_key)`: the second half of the split key draws, the first goes on."""
    new_key, draw_key = split(parent, 2)
    return uniform_with(draw_key, shape, dtype, minval, maxval), new_key


def uniform_with(
    draw_key: Array, shape: tuple[int, ...], dtype: np.dtype, minval: float, maxval: float
) -> Array:
    """Uniform numbers in the arithmetic of `dtype`, drawn with the key itself."""
    kind = dtype.type
    low, high = kind(np.float32(minval)), kind(np.float32(maxval))
    unit = _between_one_and_two(draw_key, shape, dtype) - kind(1)
    return np.maximum(unit * (high - low) + low, low)


def normal(
    parent: Array, shape: tuple[int, ...], dtype: np.dtype, mean: float = 0, deviation: float = 1
) -> tuple[Array, Array]:
    """`(value, new_key)`: the inverse error function of a uniform of `dtype`, in float64.

    The 16-bit types are rounded after each operation, as Nx rounds them.
    """
    new_key, draw_key = split(parent, 2)
    kind = dtype.type
    lowest = np.nextafter(kind(-1), kind(0))
    unit = _between_one_and_two(draw_key, shape, dtype) - kind(1)
    u = np.maximum(unit * (kind(1) - lowest) + lowest, lowest)
    rounded = kind if dtype.itemsize == 2 else np.float64
    with np.errstate(divide="ignore"):  # erfinv(±1) is infinite, as it should be
        inverse = np.asarray(erfinv(u.astype(np.float64)), rounded)
    standard = np.asarray(rounded(np.sqrt(2)) * inverse, rounded)
    return np.asarray(rounded(deviation) * standard + rounded(mean), rounded), new_key


def words(parent: Array, size: int) -> Array:
    """`size` random 32-bit words: a counter, its first half beside its second as the blocks."""
    counter = np.arange(size + size % 2, dtype=np.uint32)
    counter[size:] = 0
    return _threefry(parent, counter.reshape(2, -1)).ravel()[:size]


def _between_one_and_two(draw_key: Array, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    size = int(np.prod(shape))
    if dtype.itemsize == 8:
        high, low = words(draw_key, 2 * size).reshape(2, size).astype(np.uint64)
        bits = high << np.uint64(32) | low
    else:
        bits = words(draw_key, size).astype(f"u{dtype.itemsize}")
    mantissa = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}[dtype.name]
    one = np.ones(1, dtype).view(bits.dtype)
    shift = bits.dtype.type(8 * dtype.itemsize - mantissa)
    return (bits >> shift | one).view(dtype).reshape(shape)


def _threefry(parent: Array, blocks: Array) -> Array:
    """Twenty rounds over the columns of `blocks`, uint32[2, n], in 64-bit integers."""
    k0, k1 = (int(word) for word in parent)
    schedule = [k0, k1, k0 ^ k1 ^ 0x1BD11BDA]
    x, y = blocks.astype(np.uint64)
    x, y = x + k0 & _MASK, y + k1 & _MASK
    for turn in range(20):
        r = (13, 15, 26, 6, 17, 29, 16, 24)[turn % 8]
        x = x + y & _MASK
        y = (y << r | y >> 32 - r) & _MASK ^ x
        if turn % 4 == 3:
            block = turn // 4 + 1
            x = x + schedule[block % 3] & _MASK
            y = y + schedule[(block + 1) % 3] + block & _MASK
    return np.stack([x, y]).astype(np.uint32)
