"""One contract for every formula of the core, and what single ones promise."""

import inspect
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from edifice_py.core import gaussian, quantize, reconstruction, special
from golden import loader

MODULES = ("reduce", "gaussian", "reconstruction", "objective", "schedules", "quantize", "special")
PUBLIC = {
    f"core.{module}.{name}": function
    for module in MODULES
    for name, function in vars(import_module(f"edifice_py.core.{module}")).items()
    if callable(function)
    and not name.startswith("_")
    and function.__module__ == f"edifice_py.core.{module}"
    and not inspect.isclass(function)
}
CASES = {
    case.function: case
    for case in reversed(loader.load(loader.SHIPPED[1:]))
    if not any(array.dtype == np.float64 for array in case.inputs.values())
}

OF_A_CODEBOOK = ("core.quantize.ema_update", "core.quantize.replace_dead_codes")
OF_INTEGERS = ("core.quantize.nearest_code", "core.quantize.counts")
UNDIFFERENTIATED = {*OF_INTEGERS, "core.quantize.kmeans", *OF_A_CODEBOOK} | {
    name for name in PUBLIC if "schedules" in name
}


def arguments(name):
    """Inputs of the first case of a function: those that are arrays of floats, and the rest."""
    case = CASES[name]
    inputs = {key: jnp.asarray(value) for key, value in case.inputs.items()}
    if name in OF_A_CODEBOOK:
        averages = (inputs.pop("usage"), inputs.pop("total"))
        codebook = inputs.pop("codebook", jnp.zeros_like(averages[1]))
        inputs["state"] = quantize.MovingCodebook(*averages, codebook)
    return inputs, dict(case.options)


def test_every_formula_has_a_golden_case():
    assert set(PUBLIC) <= set(CASES)


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_say_what_a_formula_needs(name):
    text = inspect.getdoc(PUBLIC[name])
    for section in ("Args:", "Returns:", "Reference:", "Example:"):
        assert section in text, f"{name} has no {section}"


@pytest.mark.parametrize("name", PUBLIC)
def test_compiled_and_not_are_the_same(name):
    inputs, options = arguments(name)
    compiled = PUBLIC[name](**inputs, **options)
    with jax.disable_jit():
        eager = PUBLIC[name](**inputs, **options)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), compiled, eager)


@pytest.mark.parametrize("name", [n for n in PUBLIC if "schedules" not in n])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_a_formula_keeps_the_type_of_its_floats(name, dtype):
    inputs, options = arguments(name)

    def cast(leaf):
        return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    with jax.enable_x64(dtype == "float64"):
        result = PUBLIC[name](**jax.tree.map(cast, inputs), **options)
    kinds = {leaf.dtype for leaf in jax.tree.leaves(result)}
    assert kinds == {jnp.dtype("int32" if name in OF_INTEGERS else dtype)}


@pytest.mark.parametrize("name", [n for n in PUBLIC if n not in UNDIFFERENTIATED])
def test_gradients_are_finite(name):
    inputs, options = arguments(name)
    if name == "core.reconstruction.bernoulli_with_offset":
        inputs["probability"] = jnp.clip(inputs["probability"], 0.1, 0.9)
    floats = {k: v for k, v in inputs.items() if jnp.issubdtype(v.dtype, jnp.floating)}

    def total(floats):
        return jnp.sum(PUBLIC[name](**{**inputs, **floats}, **options))

    for gradient in jax.tree.leaves(jax.grad(total)(floats)):
        assert jnp.all(jnp.isfinite(gradient))


def test_logits_and_probabilities_agree_where_both_can():
    logit = jnp.linspace(-6, 6, 25)
    target = jnp.linspace(0, 1, 25)
    np.testing.assert_allclose(
        reconstruction.bernoulli_from_logits(logit, target),
        reconstruction.bernoulli_from_probabilities(jax.nn.sigmoid(logit), target),
        rtol=2e-5,
        atol=2e-5,
    )


def test_clipping_comes_before_sampling_where_it_is_asked_for():
    log_var = jnp.array([200.0])
    clipped = gaussian.clip_log_var(log_var)
    assert gaussian.reparameterize(jnp.zeros(1), clipped, jnp.ones(1)) == pytest.approx(
        np.exp(np.float32(10)), rel=1e-6
    )
    assert jnp.isinf(gaussian.reparameterize(jnp.zeros(1), log_var, jnp.ones(1)))


def test_the_inverse_error_function_keeps_its_digits_near_one():
    """jax.lax.erf_inv makes normals of 2e-5 error here."""
    x = np.float32(1) - np.float32(2.0) ** -np.arange(1, 25, dtype=np.float32)
    wanted = scipy.special.erfinv(x.astype(np.float64))
    np.testing.assert_allclose(special.erf_inv(jnp.asarray(x)), wanted, rtol=4e-7)
    np.testing.assert_allclose(special.erf_inv(jnp.asarray(-x)), -wanted, rtol=4e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_margins_and_counts_mean_something_in_16_bits(dtype):
    ends, target = jnp.asarray([0, 1, 0, 1], dtype), jnp.asarray([1, 0, 0, 1], dtype)
    for formula in (
        reconstruction.bernoulli_from_probabilities,
        reconstruction.bernoulli_with_offset,
    ):
        np.testing.assert_allclose(formula(ends, target)[:2], [16, 16], atol=2.5)
        np.testing.assert_allclose(formula(ends, target)[2:], [0, 0], atol=1e-6)
    assert quantize.perplexity(jnp.asarray([3, 3, 0, 0], dtype)) == 2
    state = quantize.MovingCodebook(*(jnp.zeros(n, dtype) for n in (3, (3, 1), (3, 1))))
    ones, zeros = jnp.ones((4096, 1), dtype), jnp.zeros(4096, jnp.int32)
    updated = quantize.ema_update(state, ones, zeros, decay=0.5)
    assert updated.usage.tolist() == [2048, 0, 0]
    assert jnp.all(jnp.isfinite(updated.codebook))


def test_a_result_beside_a_wider_argument_stays_wide():
    half = jnp.ones(3, jnp.float16)
    with jax.numpy_dtype_promotion("standard"):
        assert reconstruction.squared_error(half, jnp.ones(3)).dtype == jnp.float32
        with jax.enable_x64(True):
            wide = quantize.kmeans(np.array([[1 + 2**-30]]), np.ones((1, 1), np.float32), 1)
            assert wide == 1 + 2**-30
    assert gaussian.free_bits(half, 0.5).dtype == jnp.float16


def test_a_codebook_of_no_use_yet_is_kept():
    state = quantize.MovingCodebook(jnp.zeros(3), jnp.zeros((3, 2)), jnp.ones((3, 2)))
    updated = quantize.ema_update(state, jnp.ones((2, 2)), jnp.array([0, 1]), decay=1.0)
    np.testing.assert_array_equal(updated.codebook, state.codebook)


@pytest.mark.parametrize("size", [1e-1, 1e-3, 1e-5, 1e-7])
def test_kl_and_its_gradient_keep_their_digits_near_the_prior(size):
    log_var = jnp.array([size, -size])
    wide = np.asarray(log_var, np.float64)
    series = wide**2 * (1 / 2 + wide / 6 + wide**2 / 24 + wide**3 / 120 + wide**4 / 720)
    kl = gaussian.kl_per_dimension(jnp.zeros(2), log_var)
    np.testing.assert_allclose(kl, series / 2, rtol=4e-7)
    gradient = jax.grad(lambda v: gaussian.kl_divergence(jnp.zeros(2), v))(log_var)
    np.testing.assert_allclose(gradient, np.expm1(wide) / 2, rtol=4e-7)


def test_moving_averages_reach_the_means_of_what_each_code_receives():
    vectors = jnp.array([[0.0, 0.0], [2.0, 0.0], [10.0, 10.0]])
    indices = jnp.array([0, 0, 1])
    state = quantize.MovingCodebook(jnp.ones(2), jnp.zeros((2, 2)), jnp.zeros((2, 2)))
    for _ in range(100):
        state = quantize.ema_update(state, vectors, indices, decay=0.8)
    np.testing.assert_allclose(state.codebook, [[1, 0], [10, 10]], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(state.usage, [2, 1], rtol=1e-5)
