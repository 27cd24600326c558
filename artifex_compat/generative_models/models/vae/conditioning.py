"""Labels as conditions: how they are checked, and how an array is joined with them."""

import jax
import jax.numpy as jnp
import numpy as np

from edifice_py.checks import array
from edifice_py.nx import float_type


def condition_vectors(y: object, batch: int, width: int) -> jax.Array:
    """Conditions as rows of float32.

    Args:
        y: integer labels `[batch]` or `[batch, 1]`, from 0 to `width - 1`; or one-hot or soft
            rows `[batch, width]`; or None, which gives zeros. A single label or row, `[1]` or
            `[1, width]`, holds for the whole batch.
        batch: how many rows are wanted.
        width: how wide a row is.

    Returns:
        `[batch, width]`, float32. A traced label out of range gives zeros.

    Raises:
        TypeError: `y` is no array of numbers, or holds single numbers that are no integers.
        ValueError: its shape does not fit, or a label is out of range.
    """
    if y is None:
        return jnp.zeros((batch, width), jnp.float32)
    labels = jnp.atleast_1d(jnp.asarray(array("y", y)))
    if labels.shape[1:] == (1,) and width > 1:
        labels = labels[:, 0]
    if labels.shape[0] not in (1, batch) or labels.shape[1:] not in ((), (width,)):
        raise ValueError(
            f"y must be labels of shape [{batch}] or rows of shape [{batch}, {width}], "
            f"not an array of {list(labels.shape)}."
        )
    if labels.ndim == 1:
        if not jnp.issubdtype(labels.dtype, jnp.integer):
            raise TypeError(
                f"y must hold integer labels, or be rows of shape [{batch}, {width}], "
                f"not {labels.dtype}{list(labels.shape)}."
            )
        check_labels(labels, width)
        labels = jax.nn.one_hot(labels, width, dtype=jnp.float32)
    return jnp.broadcast_to(labels.astype(jnp.float32), (batch, width))


def join(x: jax.Array, condition: jax.Array) -> jax.Array:
    """`x` with its condition beside it, on the last axis; every pixel of an image has the same.

    Args:
        x: `[batch, ..., features]`; integers count as float32.
        condition: `[batch, width]`.

    Returns:
        `[batch, ..., features + width]`.
    """
    between = (1,) * (x.ndim - 2)
    rows = condition.reshape(condition.shape[0], *between, condition.shape[1])
    spread = jnp.broadcast_to(rows, (*x.shape[:-1], condition.shape[1]))
    dtype = float_type(x)
    return jnp.concatenate([x.astype(dtype), spread.astype(dtype)], axis=-1)


def check_labels(y: object, classes: int | None) -> None:
    """Refuse labels that there is no class for; those that are traced cannot be seen.

    Args:
        y: a condition, as in `condition_vectors`.
        classes: how many there are, None where that is not known.

    Raises:
        TypeError: `y` is text.
        ValueError: a label is out of range.
    """
    if isinstance(y, jax.core.Tracer) or not isinstance(y, np.ndarray | jax.Array):
        return
    if y.dtype.kind in "USO":
        raise TypeError(
            f"labels must be integers, not text ({y.dtype}): give the number of each class, as "
            "numpy.unique(labels, return_inverse=True)[1] does."
        )
    single = y.ndim == 1 or (y.shape[1:] == (1,) and classes != 1)
    if classes is not None and single and jnp.issubdtype(y.dtype, jnp.integer) and y.size:
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= classes:
            given = low if low < 0 else high
            nearest = min(max(given, 0), classes - 1)
            raise ValueError(
                f"y must hold labels from 0 to {classes - 1}, not {given}; the nearest is "
                f"{nearest}."
            )
