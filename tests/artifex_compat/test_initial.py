"""Initial kernels are nnx's own, bit for bit, whatever the shape and the key, and of one draw."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.core.layers.initial import lecun_normal

NNX = nnx.initializers.lecun_normal()
SHAPES = [
    (1, 1),
    (5, 7),
    (3, 3, 2, 6),
    (128, 128),
    (2**14 + 1, 1),
    (300, 500),
    (2, 2, 64, 512),
    (1025, 1024),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_numbers_are_those_of_nnx(shape):
    for seed in (0, 42):
        had, wanted = (
            draw(jax.random.key(seed), shape, jnp.float32) for draw in (lecun_normal, NNX)
        )
        np.testing.assert_array_equal(had, wanted, strict=True)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_so_are_those_of_shorter_types(dtype):
    had, wanted = (draw(jax.random.key(3), (6, 5), dtype) for draw in (lecun_normal, NNX))
    np.testing.assert_array_equal(had, wanted, strict=True)


def test_so_are_those_of_float64():
    with jax.enable_x64(True):
        had, wanted = (draw(jax.random.key(3), (6, 5), jnp.float64) for draw in (lecun_normal, NNX))
        np.testing.assert_array_equal(had, wanted, strict=True)


@pytest.mark.parametrize("implementation", ["rbg", "unsafe_rbg"])
def test_so_are_those_of_other_keys(implementation):
    key = jax.random.key(0, impl=implementation)
    np.testing.assert_array_equal(lecun_normal(key, (4, 6)), NNX(key, (4, 6)), strict=True)


def test_so_are_those_that_depend_on_how_many_are_drawn():
    key = jax.random.key(0)
    by_place = lecun_normal(key, (4, 6))
    with jax.threefry_partitionable(False):
        had, wanted = lecun_normal(key, (4, 6)), NNX(key, (4, 6))
    np.testing.assert_array_equal(had, wanted, strict=True)
    assert not np.array_equal(had, by_place)


def test_so_are_those_of_a_compiled_constructor():
    here = lecun_normal(jax.random.key(1), (4, 6))
    compiled = jax.jit(lambda key: lecun_normal(key, (4, 6)))(jax.random.key(1))
    np.testing.assert_array_equal(compiled, here, strict=True)


def test_another_shape_takes_no_other_program_that_draws(caplog):
    lecun_normal(jax.random.key(0), (11, 13))
    with jax.log_compiles():
        lecun_normal(jax.random.key(0), (13, 17))
        assert "_truncated_normal" not in caplog.text
        NNX(jax.random.key(0), (13, 17))
        assert "_truncated_normal" in caplog.text


def test_a_kernel_is_where_its_key_is():
    device = jax.devices()[0]
    for key in (jax.random.key(0), jax.device_put(jax.random.key(0), device)):
        had, wanted = lecun_normal(key, (4, 6)), NNX(key, (4, 6))
        assert (had.committed, had.sharding) == (wanted.committed, wanted.sharding)
