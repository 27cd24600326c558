"""Heads side by side give what each of them gives alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.core.layers.heads import side_by_side


def twice(features, **_):
    return lambda x: 2 * x[..., :features]


@pytest.mark.parametrize("second", [nnx.Linear, nnx.LinearGeneral, twice])
@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5)])
@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"dtype": jnp.bfloat16}])
def test_each_head_is_its_own(second, shape, options):
    x = jax.random.normal(jax.random.key(0), shape)
    first = nnx.Linear(5, 2, rngs=nnx.Rngs(0), **options)
    second = second(3) if second is twice else second(5, 3, rngs=nnx.Rngs(1))
    had = side_by_side(x, first, second)
    assert had[0].dtype == first(x).dtype
    for value, layer in zip(had, (first, second), strict=True):
        atol = 2e-6 if "dtype" not in options else 0.05
        np.testing.assert_allclose(*map(jnp.float32, (value, layer(x))), atol=atol)
