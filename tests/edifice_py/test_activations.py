"""Axon's activations: values and derivatives, against the float64 reference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edifice_py.activations import ACTIVATIONS, output_size
from golden.reference import activations as reference

# Hundredths and a half, so that none is on a bend of a function.
VALUES = st.integers(-2000, 1999).map(lambda n: np.float32((n + 0.5) / 100))


def test_all_of_axons_names_are_there():
    assert set(ACTIVATIONS) == set(reference.ELEMENTWISE) | set(reference.ROWWISE)
    assert len(ACTIVATIONS) == 22


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(x=arrays(np.float32, (2, 5), elements=VALUES))
@settings(max_examples=25, deadline=None)
def test_value_and_derivative(name, x):
    wide = x.astype(np.float64)
    function = ACTIVATIONS[name]
    wanted = reference.apply(name, wide)
    np.testing.assert_allclose(function(jnp.asarray(x)), wanted, rtol=2e-6, atol=2e-6)
    weights = np.linspace(-1, 1, wanted.size).reshape(wanted.shape)
    gradient = jax.grad(lambda x: jnp.sum(function(x) * weights.astype(np.float32)))(x)
    expected = reference.pull_back(name, wide, weights)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5 * (1 + abs(expected).max()))


BENDS = {
    "celu": {0: 1},
    "elu": {0: 1},
    "hard_sigmoid": {-1: 0.1, 4: 0.1},
    "hard_silu": {-1: -0.1, 4: 1.4},
    "hard_tanh": {-1: 1, 1: 1},
    "leaky_relu": {0: 0.01},
    "log_sigmoid": {0: 0},
    "mish": {0: 0.6},
    "relu": {0: 0},
    "relu6": {0: 0.5, 6: 0.5},
    "selu": {0: 1.7580993},
    "softplus": {0: 0},
    "softsign": {0: 1},
}
"""Slopes that Axon 0.8.0 has at the bends of its formulas, run on Nx 0.10.0."""


@pytest.mark.parametrize("name", BENDS)
def test_slopes_at_bends_are_axons(name):
    bends, slopes = (np.array(of, np.float32) for of in zip(*BENDS[name].items(), strict=True))
    assert jax.vmap(jax.grad(ACTIVATIONS[name]))(bends) == pytest.approx(slopes, rel=1e-6)
    expected = reference.pull_back(name, bends.astype(np.float64), np.ones(len(bends)))
    assert expected == pytest.approx(slopes, rel=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_output_size_is_the_size_of_the_output(name):
    assert ACTIVATIONS[name](jnp.ones((2, 5))).shape == (2, output_size(name, 5))
