"""How well examples are reconstructed."""

import jax.numpy as jnp

from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.score import Score
from edifice_py.checks import same_shape
from edifice_py.core import reconstruction, reduce


def reconstruction_mse(reconstructed: Array, x: Array) -> Score:
    """The mean over all elements of the squared error.

    Args:
        reconstructed: what the decoder gave, `[n, ...]`.
        x: what it should be, same shape.

    Returns:
        The mean, in squared units of the data.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes differ.

    Reference:
        Edifice.Generative.VAE, `loss`; `edifice_py.core.reconstruction.squared_error`.
    """
    had, wanted = same_shape(reconstructed=reconstructed, x=x)
    errors = reconstruction.squared_error(jnp.asarray(had), jnp.asarray(wanted))
    return Score("reconstruction_mse", float(reduce.element_mean(errors)))
