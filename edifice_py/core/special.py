"""Special functions, where JAX's own are not exact enough."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

# Giles' coefficients, highest power first.
_CENTRAL = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    2.1858087e-04,
    -1.25372503e-03,
    -4.17768164e-03,
    0.246640727,
    1.50140941,
)
_TAIL = (
    -2.00214257e-04,
    1.00950558e-04,
    1.34934322e-03,
    -3.67342844e-03,
    5.73950773e-03,
    -7.6224613e-03,
    9.43887047e-03,
    1.00167406,
    2.83297682,
)


@jax.jit
def erf_inv(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    r"""The inverse of the error function.

    In float32 a polynomial in \(w = -\log((1 - x)(1 + x))\). The product keeps the digits that
    \(1 - x^2\), and with it `jax.lax.erf_inv`, loses near ±1: normals drawn with it are within
    1e-6 of the exact ones everywhere, where those drawn with JAX's are up to 2e-5 off.

    Args:
        x: in (-1, 1), any shape. 16-bit floats are computed in float32, float64 by JAX.

    Returns:
        The same shape and type.

    Reference:
        Giles (2012), Approximating the erfinv function, table 5.

    Example:
        >>> round(float(erf_inv(jnp.array(0.5))), 6)
        0.476936
    """
    if x.dtype == jnp.float64:
        return lax.erf_inv(x)
    value = x.astype(jnp.float32)
    w = -jnp.log((1 - value) * (1 + value))
    central = jnp.polyval(jnp.asarray(_CENTRAL, jnp.float32), w - 2.5)
    # The maximum changes nothing where the tail is used, and keeps its gradient finite elsewhere.
    tail = jnp.polyval(jnp.asarray(_TAIL, jnp.float32), jnp.sqrt(jnp.maximum(w, 5)) - 3)
    return (jnp.where(w < 5, central, tail) * value).astype(x.dtype)
