"""What every formula of the core is wrapped in: checked, compiled, and computed in real numbers."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp

from edifice_py.core.arguments import Arguments

P = ParamSpec("P")
R = TypeVar("R")


def formula(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays, and compute it in the widest of their float types.

    16-bit floats are computed in float32, and the result is rounded once, at the end, to the 16-bit
    type of the arguments; beside an argument of a wider type it stays float32. Margins of 1e-7,
    counts beyond 256 and differences of squares mean nothing in 16 bits. Integers are computed in
    float32 too, and have no say in the type of the result where there are floats.

    Raises:
        TypeError: an argument is unknown, or holds what is not a real number.
        ValueError: shapes do not match the annotations; nothing is broadcast.
    """
    arguments = Arguments.of(function)

    @jax.jit
    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        given = dict(zip(arguments.named, args, strict=False)) | kwargs
        if len(given) < len(args) + len(kwargs):
            return function(*args, **kwargs)  # Python's own error
        values, narrow = arguments.computed(given)
        result: Any = function(**values)  # type: ignore[call-arg]
        if narrow is None:
            return result
        return jax.tree.map(lambda x: x.astype(narrow) if _is_float(x) else x, result)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        positional, by_name = arguments.native(args, kwargs)
        return computed(*positional, **by_name)

    return called


def _is_float(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jnp.floating) and not getattr(x, "weak_type", False)
