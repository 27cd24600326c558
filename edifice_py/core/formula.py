"""What every formula of the core is wrapped in: compiled, and never computed in 16 bits."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def formula(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays, and compute its 16-bit floats in float32.

    The result is rounded once, at the end, to the 16-bit type of the arguments; beside an argument
    of a wider type it stays float32. Margins of 1e-7, counts beyond 256 and differences of squares
    mean nothing in 16 bits.
    """

    @jax.jit
    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        floats = {x.dtype for x in jax.tree.leaves((args, kwargs)) if _is_strong_float(x)}
        if not any(dtype.itemsize < 4 for dtype in floats):
            return function(*args, **kwargs)
        args, kwargs = jax.tree.map(_widened, (args, kwargs))
        result = function(*args, **kwargs)
        if len(floats) > 1:
            return result
        (narrow,) = floats
        return jax.tree.map(lambda x: x.astype(narrow) if _is_strong_float(x) else x, result)

    return computed


def _is_strong_float(x: object) -> bool:
    """Whether a value is of a float type of its own, unlike a Python number."""
    if not isinstance(x, jax.Array | np.ndarray):
        return False
    return jnp.issubdtype(x.dtype, jnp.floating) and not getattr(x, "weak_type", False)


def _widened(x: Any) -> Any:
    return x.astype(jnp.float32) if _is_strong_float(x) and x.dtype.itemsize < 4 else x
