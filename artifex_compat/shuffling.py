"""Random orders that are the same on every machine and with every release of numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def shuffled(count: int, seed: int | tuple[int, ...]) -> NDArray[Any]:
    """The numbers from 0 to `count` - 1 in a random order, `[count]`.

    They are sorted by the words of a bit generator, whose stream no release of numpy changes.

    Args:
        count: how many.
        seed: names the order: one integer from 0, or several.
    """
    return np.argsort(np.random.PCG64(seed).random_raw(count))
