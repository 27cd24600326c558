"""Latents in bins, and how much they tell about classes."""

import numpy as np

from artifex_compat.data.extras import extra_module
from artifex_compat.evaluation.arrays import Array
from edifice_py.checks import positive_int


def discretize(values: Array, bins: int = 20) -> Array:
    """Values as numbers of bins of equal width between the least and the greatest of a column.

    Args:
        values: `[n, columns]`.
        bins: how many.

    Returns:
        int64 `[n, columns]`, from 0 to `bins` - 1; 0 in a column that does not vary.

    Raises:
        ValueError: `bins` is not positive.

    Example:
        >>> discretize(np.array([[0.0], [0.9], [1.0], [2.0]]), bins=2).ravel().tolist()
        [0, 0, 1, 1]

    Reference:
        Locatello et al. (2019), Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, appendix C: 20 bins for each dimension.
    """
    count = positive_int("bins", bins)
    found = np.asarray(values, np.float64)
    low, width = found.min(axis=0), np.ptp(found, axis=0)
    shares = (found - low) / np.where(width > 0, width, 1)
    return np.minimum(np.floor(shares * count), count - 1).astype(np.int64)


def mutual_information(first: Array, second: Array) -> Array:
    """Mutual information of each column of one with each column of the other, in nats.

    Of a column with itself it is the entropy. It is that of the empirical distribution, which is
    too large by about (bins - 1)(classes - 1) / 2n for n independent pairs.

    Args:
        first: classes `[n, a]`, integers.
        second: classes `[n, b]`, integers.

    Returns:
        float64 `[a, b]`.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    metrics = extra_module("sklearn.metrics", "scikit-learn", "mutual information")
    return np.array([[metrics.mutual_info_score(a, b) for b in second.T] for a in first.T])


def entropies(classes: Array) -> Array:
    """Entropy of each column, in nats: its information about itself.

    Args:
        classes: `[n, columns]`, integers.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    columns = [classes[:, [index]] for index in range(classes.shape[1])]
    return np.array([mutual_information(column, column)[0, 0] for column in columns])
