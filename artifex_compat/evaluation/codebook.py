"""How a codebook is used over a whole set."""

import jax.numpy as jnp
import numpy as np

from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.score import Score, numbers
from edifice_py.checks import array, positive_int
from edifice_py.core import quantize


def codebook_usage(indices: Array, codes: int) -> Score:
    """Perplexity of the codes that all examples together use, and how many codes none uses.

    Over a whole set, not batch by batch: a batch of 8 examples cannot use 512 codes.

    Args:
        indices: the code of each vector, integers from 0, any shape.
        codes: how many codes there are.

    Returns:
        The perplexity, from 1 to `codes`; details: `dead_share`, the share of codes never used, and
        `counts`, how often each was used.

    Raises:
        TypeError: the indices are no array of numbers.
        ValueError: they are no integers from 0 to `codes` - 1, or there is none.

    Reference:
        van den Oord et al. (2017), Neural Discrete Representation Learning;
        `edifice_py.core.quantize.perplexity`.

    Example:
        >>> round(float(codebook_usage(np.array([0, 0, 1, 1]), 4)), 5)
        2.0
    """
    found, number = np.asarray(array("indices", indices)), positive_int("codes", codes)
    if found.dtype.kind not in "iu" or not found.size or found.min() < 0 or found.max() >= number:
        raise ValueError(
            f"indices must be integers from 0 to {number - 1}, at least one, "
            f"not {found.dtype}{list(found.shape)}"
            f"{f' from {found.min()} to {found.max()}' if found.size else ''}."
        )
    counts = np.bincount(found.ravel(), minlength=number)
    perplexity = quantize.perplexity(jnp.asarray(counts, jnp.float32))
    details = {"dead_share": float(np.mean(counts == 0)), "counts": numbers(counts)}
    return Score("perplexity", float(perplexity), {"codes": number}, details)
