"""Examples that share the value of a factor, drawn at random."""

from collections.abc import Iterator, Sequence

import numpy as np

from artifex_compat.evaluation.arrays import Array

_AT_ONCE = 500


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


def draws(
    groups: Sequence[Groups], number: int, generator: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Which factor each of some draws is about, picked at random: a factor, and how many draws.

    Factors come in their order, each in parts that are small enough to be held at a time.
    """
    counts = np.bincount(generator.integers(len(groups), size=number), minlength=len(groups))
    for factor, count in enumerate(counts):
        for start in range(0, int(count), _AT_ONCE):
            yield factor, min(_AT_ONCE, int(count) - start)
