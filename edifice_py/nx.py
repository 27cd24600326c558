"""How Nx types numbers, where that differs from JAX."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike, DTypeLike


def number(value: ArrayLike) -> ArrayLike:
    """A number as Nx reads it: a Python float, traced or not, as float32 beside any other type."""
    if type(value) is float:
        return np.float32(value)
    if (
        isinstance(value, jax.Array)
        and value.weak_type
        and jnp.issubdtype(value.dtype, jnp.floating)
    ):
        return value.astype(jnp.float32)
    return value


def float_type(*arrays: ArrayLike) -> np.dtype:
    """The type that arrays are computed with together; integers alone count as float32.

    As in Nx, float16 and bfloat16 together are float16.
    """
    with jax.numpy_dtype_promotion("standard"):  # Nx's rules but for that, whatever JAX is set to
        dtype = jnp.result_type(*arrays)
        floats = [jnp.result_type(array) for array in arrays]
    if dtype == jnp.float32 and jnp.float16 in floats and jnp.float32 not in floats:
        return jnp.dtype(jnp.float16)
    return dtype if jnp.issubdtype(dtype, jnp.floating) else jnp.dtype(jnp.float32)


def working(dtype: DTypeLike) -> np.dtype:
    """The type to compute a float type in: itself, or float32 for the 16-bit ones."""
    kind = jnp.dtype(dtype)
    return jnp.dtype(jnp.float32) if kind.itemsize < 4 else kind


def rounded(value: ArrayLike, dtype: DTypeLike) -> jax.Array:
    """`value` rounded to nearest in `dtype`, held in its working type.

    For a 16-bit type the rounding is explicit: a compiler drops a conversion there and back.
    """
    kept = jnp.asarray(value, working(dtype))
    if jnp.dtype(dtype) == kept.dtype:
        return kept
    info = jnp.finfo(dtype)
    return lax.reduce_precision(kept, info.nexp, info.nmant)


@partial(jax.jit, static_argnums=(0, 1))
def evaluate(formula: Callable[..., jax.Array], dtype: np.dtype, *arrays: ArrayLike) -> jax.Array:
    """A formula in the working type of `dtype`, rounded to `dtype` once, at the end."""
    return formula(*(jnp.asarray(array, working(dtype)) for array in arrays)).astype(dtype)
