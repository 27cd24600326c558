"""Modularity."""

import numpy as np

from artifex_compat.evaluation.arrays import Array, classes_of_factors, latents_of
from artifex_compat.evaluation.discrete import discretize, mutual_information
from artifex_compat.evaluation.score import Score, numbers


def modularity(latents: Array, factors: Array, *, bins: int = 20) -> Score:
    r"""Whether each latent tells about one factor alone.

    The mean over latents of \(1 - \frac{\sum_k m_{ik}^2 - \max_k m_{ik}^2}{(K - 1) \max_k
    m_{ik}^2}\), with m the mutual information. A latent that tells nothing counts as 0; leave such
    latents out beforehand if they should not count.

    Args:
        latents: posterior means, `[n, latent]`.
        factors: classes, `[n, factors]`, at least two factors.
        bins: how many bins of equal width a latent is cut into.

    Returns:
        A score in [0, 1]; details: `per_latent`, and `mutual_information` in nats,
        `[latent, factors]`.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes do not fit, they are not finite, or a factor does not vary or is
            no class.
        ImportError: scikit-learn is not installed.

    Reference:
        Ridgeway and Mozer (2018), Learning Deep Disentangled Embeddings with the F-Statistic Loss,
        section 4; in bins as Locatello et al. (2019), appendix C.
    """
    z = latents_of(latents)
    classes = classes_of_factors(factors, len(z))
    if classes.shape[1] < 2:
        raise ValueError("factors must be at least 2 for modularity, not 1: it asks which.")
    information = mutual_information(discretize(z, bins), classes)
    per_latent = modularity_of(information)
    details = {
        "per_latent": numbers(per_latent),
        "mutual_information": numbers(information),
    }
    return Score("modularity", float(per_latent.mean()), {"bins": bins}, details)


def modularity_of(information: Array) -> Array:
    """Modularity of each latent, `[latent]`, from mutual information `[latent, factors]`.

    Example:
        >>> modularity_of(np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).tolist()
        [1.0, 0.0, 0.875]
    """
    squares = information**2
    largest = squares.max(axis=1)
    others = squares.sum(axis=1) - largest
    spread = others / np.where(largest > 0, largest, 1) / (information.shape[1] - 1)
    return np.where(largest > 0, 1 - spread, 0.0)
