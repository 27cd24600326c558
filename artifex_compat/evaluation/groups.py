"""Examples that share the value of a factor, drawn at random."""

import numpy as np

from artifex_compat.evaluation.arrays import Array


class Groups:
    """The examples of each value of one factor.

    Args:
        classes: the value of each example, `[n]`.
    """

    def __init__(self, classes: Array) -> None:
        counts = np.bincount(classes)
        starts = np.cumsum(counts) - counts
        self._order = np.argsort(classes, kind="stable")
        self._count, self._start = counts[classes], starts[classes]
        # A class of one has no variance, and pairs only with itself.
        self._shared = np.flatnonzero(self._count > 1)

    def examples(self, number: int, generator: np.random.Generator) -> Array:
        """Draws, with replacement, among the examples whose value another one shares, `[number]`.

        There are such: `classes_of_factors` sees to it.
        """
        return self._shared[generator.integers(len(self._shared), size=number)]

    def members(self, examples: Array, number: int, generator: np.random.Generator) -> Array:
        """Draws, with replacement, among the examples that share the value of a given one.

        Args:
            examples: rows, `[m]`.
            number: of draws for each.
            generator: where they come from.

        Returns:
            Rows, int64 `[m, number]`.
        """
        shares = generator.random((len(examples), number))
        within = (shares * self._count[examples][:, None]).astype(np.int64)
        return self._order[self._start[examples][:, None] + within]


def factor_numbers(votes: int, factors: int, generator: np.random.Generator) -> Array:
    """How many of some votes are about each factor, where each vote picks one at random."""
    return np.bincount(generator.integers(factors, size=votes), minlength=factors)
