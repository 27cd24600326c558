"""Nx.Random: against the numpy reference, whatever JAX is set to."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edifice_py import random
from golden.reference import random as reference

SEEDS = st.integers(-(2**63), 2**64 - 1)
SHAPES = st.sampled_from([(), (1,), (5,), (2, 3), (0, 4)])
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


@given(SEEDS)
def test_key_is_the_two_halves_of_any_64_bit_seed(seed):
    assert random.key(seed).tolist() == [seed % 2**64 >> 32, seed % 2**32]


@given(SEEDS, st.sampled_from([1, 2, 3, 8]))
@settings(max_examples=30, deadline=None)
def test_split(seed, parts):
    np.testing.assert_array_equal(
        random.split(random.key(seed), parts), reference.split(reference.key(seed), parts)
    )


@given(SEEDS, SEEDS)
@settings(max_examples=30, deadline=None)
def test_fold_in_takes_the_low_32_bits_of_a_plain_integer_and_all_of_an_array(seed, data):
    key, reference_key = random.key(seed), reference.key(seed)
    wrapped = (data + 2**31) % 2**32 - 2**31
    wanted = reference.fold_in(reference_key, wrapped)
    np.testing.assert_array_equal(random.fold_in(key, data), wanted)
    assert reference.as_plain(data) == wrapped
    wanted = reference.fold_in(reference_key, data)
    typed = np.int64(data) if data < 2**63 else np.uint64(data)
    np.testing.assert_array_equal(random.fold_in(key, typed), wanted)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64])
def test_fold_in_takes_arrays_of_integers(dtype):
    data = np.array([[0, 1, 99], [3, 7, 100]], dtype)
    if np.issubdtype(dtype, np.signedinteger):
        data = -data
    each = [[reference.fold_in(reference.key(42), int(n)) for n in row] for row in data]
    with jax.enable_x64(dtype in (np.int64, np.uint64)):
        np.testing.assert_array_equal(random.fold_in(random.key(42), data), each)
        np.testing.assert_array_equal(random.fold_in(random.key(42), jnp.asarray(data)), each)


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=SEEDS, shape=SHAPES)
@settings(max_examples=15, deadline=None)
def test_uniform_is_exact(dtype, seed, shape):
    with jax.enable_x64(dtype == np.float64):
        value, new_key = random.uniform(random.key(seed), shape, dtype)
    wanted, wanted_key = reference.uniform(reference.key(seed), shape, np.dtype(dtype))
    assert value.dtype == dtype
    np.testing.assert_array_equal(value, wanted)
    np.testing.assert_array_equal(new_key, wanted_key)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ends", [(0.1, 2.3), (-0.37, 0.37), (-3.0, 5.0), (1e-3, 1e3)])
def test_uniform_between_other_ends_is_exact_compiled_or_not(dtype, ends):
    """A compiler that contracts the product and the sum changes a quarter of these bits."""
    with jax.enable_x64(dtype == np.float64):
        draw = lambda key, low, high: random.uniform(key, (999,), dtype, low, high)[0]  # noqa: E731
        constant = jax.jit(lambda key: draw(key, *ends))(random.key(5))
        traced = jax.jit(draw)(random.key(5), *(jnp.asarray(e, dtype) for e in ends))
        alone = draw(random.key(5), *ends)
    wanted, _ = reference.uniform(reference.key(5), (999,), np.dtype(dtype), *ends)
    np.testing.assert_array_equal(alone, wanted)
    np.testing.assert_array_equal(constant, wanted)
    if dtype != np.float64:  # a Python float is float32 to Nx, an array of float64 is not
        np.testing.assert_array_equal(traced, wanted)


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 2e-5), (np.float64, 1e-13)])
def test_normal_is_the_inverse_error_function(dtype, error):
    with jax.enable_x64(dtype == np.float64):
        value, new_key = random.normal(random.key(7), (50, 40), dtype)
    wanted, wanted_key = reference.normal(reference.key(7), (50, 40), np.dtype(dtype))
    np.testing.assert_allclose(value, wanted, rtol=0, atol=error)
    np.testing.assert_array_equal(new_key, wanted_key)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_16_bit_normals_round_after_each_operation(dtype):
    value, _ = random.normal(random.key(7), (50, 40), dtype)
    wanted, _ = reference.normal(reference.key(7), (50, 40), np.dtype(dtype))
    ulps = np.abs(value.view(np.int16).astype(int) - wanted.view(np.int16).astype(int))
    assert np.mean(ulps == 0) > 0.99
    assert ulps.max() <= 1


def test_normal_scales_and_shifts():
    standard, _ = random.normal(random.key(3), (100,))
    value, _ = random.normal(random.key(3), (100,), mean=10.0, standard_deviation=2.0)
    np.testing.assert_allclose(value, 10 + 2 * standard, rtol=1e-6)


def test_no_flag_of_jax_moves_the_numbers():
    draw = lambda: [random.split(random.key(1), 3), random.uniform(random.key(1), (7,))[0]]  # noqa: E731
    with jax.threefry_partitionable(True):
        one = draw()
    jax.clear_caches()
    with jax.threefry_partitionable(False):
        other = draw()
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_a_typed_key_is_the_same_key():
    typed, plain = jax.random.key(42), random.key(42)
    for function in (random.split, random.uniform, random.normal, lambda k: random.fold_in(k, 9)):
        jax.tree.map(np.testing.assert_array_equal, function(typed), function(plain))


def test_vmap_over_keys_draws_what_each_draws():
    keys = random.split(random.key(0), 4)
    together = jax.vmap(lambda key: random.normal(key, (3,)))(keys)
    for index, key in enumerate(keys):
        alone = random.normal(key, (3,))
        np.testing.assert_allclose(together[0][index], alone[0], rtol=1e-6)
        np.testing.assert_array_equal(together[1][index], alone[1])


def test_noise_has_no_gradient():
    gradient = jax.grad(lambda m: jnp.sum(random.normal(random.key(0), (3,), mean=m)[0]))(1.0)
    assert gradient == 0
    gradient = jax.grad(lambda m: jnp.sum(random.uniform(random.key(0), (3,), minval=m)[0]))(0.0)
    assert gradient == 0


@pytest.mark.parametrize("function", [random.split, random.uniform, random.normal])
@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (42, TypeError, "key must be a key, a uint32"),
        ("key", TypeError, "not 'key'"),
        ([0, 42], TypeError, "edifice_py.random.key"),
        (np.array([0, 42]), TypeError, "not an array of int64"),
        (np.zeros((3,), np.uint32), ValueError, r"not an array of \[3\]"),
        (np.zeros((2, 2), np.uint32), ValueError, r"shape \[2\]"),
        (jax.random.key(0, impl="rbg"), TypeError, "not a key of 'rbg'"),
    ],
)
def test_what_is_no_key_is_refused(function, key, error, words):
    with pytest.raises(error, match=words):
        function(key)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.0, "1", True, None])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be an integer from -2\*\*63"):
        random.key(seed)


@pytest.mark.parametrize("parts", [0, -1, 1.5, "2"])
def test_parts_must_be_positive(parts):
    with pytest.raises(ValueError, match="parts must be a positive integer"):
        random.split(random.key(0), parts)


@pytest.mark.parametrize("shape", [-1, (2, -3), (2.5,), "ab", b"ab", None])
def test_shape_must_be_sizes(shape):
    with pytest.raises(ValueError, match="shape must be a tuple of non-negative integers"):
        random.uniform(random.key(0), shape)


@pytest.mark.parametrize("dtype", [np.int32, "complex64", "flaot32", object, None])
def test_only_floats_are_drawn(dtype):
    with pytest.raises(ValueError, match="dtype must be one of bfloat16, float16, float32"):
        random.normal(random.key(0), (2,), dtype)


def test_the_nearest_dtype_is_offered():
    with pytest.raises(ValueError, match="did you mean 'float32'"):
        random.normal(random.key(0), (2,), "flaot32")


def test_float64_says_what_to_turn_on():
    with pytest.raises(ValueError, match="jax_enable_x64"):
        random.uniform(random.key(0), (2,), np.float64)


def test_numpy_data_keeps_its_64_bits_where_jax_has_32():
    folded = random.fold_in(random.key(42), np.array([2**40 + 7, -2]))
    each = [reference.fold_in(reference.key(42), data) for data in (2**40 + 7, -2)]
    np.testing.assert_array_equal(folded, each)


def test_ends_and_moments_may_be_arrays_that_broadcast():
    rows = np.array([[0.0], [10.0]], np.float32)
    value, _ = random.uniform(random.key(0), (2, 3), minval=rows, maxval=rows + 1)
    unit, _ = random.uniform(random.key(0), (2, 3))
    np.testing.assert_allclose(value, rows + unit, rtol=1e-6)
    moments = {"mean": np.zeros(4), "standard_deviation": np.ones((2, 2, 3))}
    for name, array in moments.items():
        with pytest.raises(ValueError, match=rf"{name} must be a number or broadcast to \[2, 3\]"):
            random.normal(random.key(0), (2, 3), **{name: array})


def test_a_draw_too_long_for_its_counter_is_refused():
    with pytest.raises(ValueError, match=r"fewer than 2\*\*32 words"):
        jax.eval_shape(lambda: random.uniform(random.key(0), (2**16, 2**16)))
