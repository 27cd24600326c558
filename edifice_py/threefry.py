"""Threefry-2x32, and the words it gives, counted the way JAX counted before 0.5.

Reference: Salmon et al. (2011), Parallel Random Numbers: As Easy as 1, 2, 3; Nx.Random.
"""

import jax
import jax.numpy as jnp
import numpy as np

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)


def words(key: jax.Array, size: int) -> jax.Array:
    """Random 32-bit words, uint32[size]: a counter whose two halves are enciphered as pairs."""
    half = (size + 1) // 2
    counter = jnp.arange(half, dtype=jnp.uint32)
    # An odd count is padded with a zero at its end.
    second = jnp.where(half + counter < size, half + counter, 0)
    return jnp.concatenate(encipher(key, counter, second))[:size]


def encipher(key: jax.Array, x0: jax.Array, x1: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Twenty rounds over each pair of words of two uint32 arrays, with a key of uint32[2]."""
    first, second = key
    keys = (first, second, first ^ second ^ _PARITY)
    x0, x1 = x0 + keys[0], x1 + keys[1]
    for block in range(5):
        for rotation in _ROTATIONS[block % 2]:
            x0 = x0 + x1
            x1 = x0 ^ (x1 << rotation | x1 >> (32 - rotation))
        x0 = x0 + keys[(block + 1) % 3]
        x1 = x1 + keys[(block + 2) % 3] + np.uint32(block + 1)
    return x0, x1
