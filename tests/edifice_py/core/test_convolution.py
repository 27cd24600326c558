"""Convolutions by products of matrices are those of `jax.lax`, forward and back."""

import jax
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jax import lax

from edifice_py.core.convolution import LAYOUT, convolution, transposed_convolution

KINDS = {
    convolution: lax.conv_general_dilated,
    transposed_convolution: lax.conv_transpose,
}
SIZES = st.integers(1, 9)
TAPS = st.integers(1, 5)
CHANNELS = st.integers(1, 4)
STRIDES = st.sampled_from([(1, 1), (2, 2), (3, 2), (1, 3)])


def arrays(*shapes):
    generator = np.random.default_rng(0)
    return [generator.standard_normal(shape, np.float32) for shape in shapes]


def of_lax(function, strides):
    return lambda images, kernel: KINDS[function](
        images, kernel, strides, "SAME", dimension_numbers=LAYOUT
    )


@pytest.mark.parametrize("function", KINDS)
@given(SIZES, SIZES, TAPS, TAPS, CHANNELS, CHANNELS, STRIDES)
@example(8, 8, 3, 3, 3, 4, (2, 2))
@example(8, 8, 3, 3, 4, 1, (1, 1))
@example(4, 4, 4, 4, 3, 2, (2, 2))
@settings(max_examples=3, deadline=None)
def test_values_and_gradients_are_those_of_lax(
    function, height, width, rows, columns, inputs, outputs, strides
):
    given_arrays = arrays((2, height, width, inputs), (rows, columns, inputs, outputs))
    wanted, backward = jax.vjp(of_lax(function, strides), *given_arrays)
    had, our_backward = jax.vjp(lambda x, k: function(x, k, strides=strides), *given_arrays)
    assert had.shape == wanted.shape
    (weights,) = arrays(wanted.shape)
    for ours, theirs in zip(
        (had, *our_backward(weights)), (wanted, *backward(weights)), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * (1 + np.abs(theirs).max()))


@pytest.mark.parametrize("function", KINDS)
def test_every_kind_of_derivative(function):
    images, kernel = arrays((2, 4, 4, 2), (3, 3, 2, 2))

    def energy(images, kernel):
        return (function(images, kernel, strides=(2, 2)) ** 2).sum()

    _, forward = jax.jvp(energy, (images, kernel), (images, kernel))
    by_images, by_kernel = jax.grad(energy, (0, 1))(images, kernel)
    np.testing.assert_allclose(
        forward, (by_images * images).sum() + (by_kernel * kernel).sum(), rtol=1e-5
    )
    hessian = jax.hessian(energy, 1)(images, kernel)
    np.testing.assert_allclose(
        np.einsum("ijklmnop,mnop->ijkl", hessian, kernel), by_kernel, rtol=1e-4, atol=1e-4
    )
    each = jax.vmap(energy, (0, None))(images[:, None], kernel)
    np.testing.assert_allclose(each.sum(), energy(images, kernel), rtol=1e-5)


@pytest.mark.parametrize("function", KINDS)
@pytest.mark.parametrize("kinds", [("uint8", "int8"), ("int8", "int8"), ("uint8", "float32")])
def test_integers_count_as_float32(function, kinds):
    images, kernel = np.full((1, 3, 3, 1), 100), np.full((2, 2, 1, 1), 7)
    found = function(images.astype(kinds[0]), kernel.astype(kinds[1]))
    wanted = function(images.astype("float32"), kernel.astype("float32"))
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("function", KINDS)
@pytest.mark.parametrize(("platform", "by_lax"), [("cpu", False), ("cuda", True), ("tpu", True)])
def test_each_platform_has_its_own_way(function, platform, by_lax):
    shapes = (
        jax.ShapeDtypeStruct((2, 4, 4, 2), "float32"),
        jax.ShapeDtypeStruct((3, 3, 2, 2), "float32"),
    )
    gradient = jax.jit(jax.grad(lambda x, k: function(x, k, strides=(2, 2)).sum(), (0, 1)))
    text = gradient.trace(*shapes).lower(lowering_platforms=(platform,)).as_text()
    assert ("stablehlo.convolution" in text) is by_lax
