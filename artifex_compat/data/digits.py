"""The handwritten digits that come with scikit-learn."""

import numpy as np

from artifex_compat.data.examples import Examples
from artifex_compat.data.extras import extra_module


def digits() -> Examples:
    """1,797 digits of 8 x 8 pixels in [0, 1], `[1797, 8, 8, 1]`; the factor is the digit.

    They are in the order that scikit-learn has them in, which is random but for their writers.

    Raises:
        ImportError: scikit-learn is not installed.

    Reference:
        Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI.
    """
    found = extra_module("sklearn.datasets", "scikit-learn", "digits()").load_digits()
    x = (found.images / found.images.max()).astype(np.float32)[..., None]
    return Examples(x, found.target.astype(np.int32)[:, None], ("digit",))
