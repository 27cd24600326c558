"""How JAX multiplies matrices while the adapters ask it: in float32, or as its user has set it."""

from contextlib import AbstractContextManager

import jax

from golden.adapters import StartError

_TYPES = {
    "highest": "f32",
    "float32": "f32",
    "default": "tf32",
    "tensorfloat32": "tf32",
}
"""What `jax_default_matmul_precision` may say, to the type that factors have on a GPU."""


def products() -> str:
    """The type that factors of float32 products are rounded to: f32, or tf32 where it is asked for.

    Raises:
        StartError: JAX is set to anything else.
    """
    if (asked := _asked()) not in _TYPES:
        known = ", ".join(_TYPES)
        raise StartError(f"JAX_DEFAULT_MATMUL_PRECISION must be one of {known}, not {asked!r}")
    return _TYPES[asked]


def told() -> dict[str, str]:
    """What a report says of it among the versions: nothing where it is float32."""
    return {} if products() == "f32" else {"products": products()}


def as_asked() -> AbstractContextManager[object]:
    """The setting in force."""
    return jax.default_matmul_precision(_asked())


def _asked() -> str:
    """JAX's setting; where there is none float32 means float32, which a GPU must be told."""
    return jax.config.jax_default_matmul_precision or "highest"  # type: ignore[attr-defined]
