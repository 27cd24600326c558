"""The table of tolerances: what it allows where a gradient is zero and its record is not."""

import numpy as np
import pytest

from golden.compare import compare
from golden.loader import load
from golden.tolerances import tolerance_for


@pytest.mark.parametrize(("off", "holds"), [(0.0, True), (1e-5, False)])
def test_a_bias_before_batch_norm_may_have_its_true_gradient_and_no_other(off, holds):
    """That of a convolution before batch norm is zero: Artifex recorded 2.3e-6 at the most."""
    (case,) = load(pattern="artifex-0.1.3:models/capacity_cnn_off_bn")
    name = "grads/encoder/cnn/layers/0/bias"
    recorded = case.outputs[name]
    assert 2e-6 < np.abs(recorded).max() < 3e-6
    inputs = tuple(case.inputs.values())
    tolerance = tolerance_for(case.function, name, recorded, inputs)
    given = np.full_like(recorded, off)
    assert compare(recorded, given, tolerance).within == holds
