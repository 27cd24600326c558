"""Numbers of any type and shapes that do not match, for every formula of the core."""

import typing
from itertools import combinations

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edifice_py.core import gaussian, objective, quantize, reconstruction, reduce, schedules
from golden.adapters import core_formula
from tests.edifice_py.core.test_core import OF_A_CODEBOOK, OF_INTEGERS, PUBLIC

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FLOATS = ["float16", "bfloat16", "float32"]
TYPES = [np.dtype(getattr(ml_dtypes, name, name)) for name in [*INTEGERS, "bool", *FLOATS]]
SIZES = {"batch": 3, "latent": 2, "codes": 4, "dim": 2, "shape": 3, "steps": 3, "...": 3}
RANGES = {
    "mean": (-20, 20),
    "log_var": (-3, 5),
    "x": (-1, 1),
    "kl": (0, 200),
    "values": (-100, 250),
    "reconstruction": (-100, 120),
    "target": (0, 120),
    "logit": (-90, 90),
    "vectors": (-20, 20),
    "codebook": (-20, 20),
    "codes": (-20, 20),
    "usage": (1, 120),
    "step": (0, 120),
    "indices": (0, 3),
    "replacements": (-20, 20),
    "warmup_steps": (1, 100),
    "period": (1, 100),
    "num_iter": (1, 100),
    "iterations": (1, 3),
    "epsilon": (1, 2),
}
OTHERWISE = (0, 1)
OF_PROBABILITIES = ("probability", "target")


def axes_of(hint):
    """Names of the axes of an annotation."""
    kinds = [kind for kind in (typing.get_args(hint) or (hint,)) if hasattr(kind, "dim_str")]
    return tuple(kinds[0].dim_str.split())


def arrays_of(name):
    """The arrays of a formula, by name, each with the names of its axes."""
    found = {}
    for argument, hint in PUBLIC[name].__annotations__.items():
        if hint is quantize.MovingCodebook:
            found |= {field: axes_of(of) for field, of in hint.__annotations__.items()}
        elif argument != "return":
            found[argument] = axes_of(hint)
    return found


def shape_of(axes):
    return tuple(SIZES[axis.lstrip("*")] for axis in axes)


def call(name, values):
    """A formula of its arrays by name."""
    values = dict(values)
    if name in OF_A_CODEBOOK:
        values["state"] = quantize.MovingCodebook(
            *(values.pop(field) for field in quantize.MovingCodebook._fields)
        )
    return PUBLIC[name](**values)


@st.composite
def numbers(draw, name):
    """Arrays for a formula, each of a type of its own."""
    values = {}
    for argument, axes in arrays_of(name).items():
        low, high = RANGES.get(argument, OTHERWISE)
        if "probability" in arrays_of(name) and argument in OF_PROBABILITIES:
            low, high = 0, 1
        if "erf_inv" in name:
            low, high = 0, 0
        dtype = draw(st.sampled_from(INTEGERS if argument in ("indices", "iterations") else TYPES))
        kind = np.dtype(dtype)
        if kind.kind == "u":
            low = max(low, 0)
        if kind.kind in "iu":
            low, high = max(low, np.iinfo(kind).min), min(high, np.iinfo(kind).max)
        if kind.kind == "b":
            low, high = min(max(low, 0), 1), min(high, 1)
        drawn = st.lists(st.integers(low, high), min_size=12, max_size=12)
        shape = shape_of(axes)
        values[argument] = np.resize(np.array(draw(drawn)), shape).astype(kind)
    return values


@pytest.mark.parametrize("name", PUBLIC)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(data=st.data())
def test_every_type_of_number_gives_what_float64_gives(name, data):
    values = data.draw(numbers(name))
    wide = {
        n: v if n in ("indices", "iterations") else v.astype(np.float64) for n, v in values.items()
    }
    if name == "core.quantize.ema_update":
        del wide["codebook"]  # which is kept only while nothing is used
    wanted = core_formula("golden.reference", name)(**wide)
    found = call(name, values)
    if name in OF_A_CODEBOOK:
        found = found._asdict()
    else:
        wanted, found = {"value": wanted}, {"value": found}
    floats = {v.dtype for v in values.values() if jnp.issubdtype(v.dtype, jnp.floating)}
    dtype = floats.pop() if len(floats) == 1 else np.dtype(np.float32)
    error = 8 * float(jnp.finfo(dtype).eps)
    if "bernoulli_from_probabilities" in name:
        error = max(error, 0.02)  # the limit 1 - 1e-7 is 0.99999988 in float32
    for key, value in found.items():
        assert value.dtype == (jnp.int32 if name in OF_INTEGERS else dtype)
        right = np.asarray(wanted[key], np.float64)
        size = np.abs(right).max()
        np.testing.assert_allclose(value.astype("f4"), right, rtol=error, atol=error * size + 1e-7)


SHARED = {
    name: [
        (second, axis)
        for (_, axes), (second, others) in combinations(arrays_of(name).items(), 2)
        for axis in others
        if axis in axes
    ]
    for name in PUBLIC
}


@pytest.mark.parametrize("name", [name for name, pairs in SHARED.items() if pairs])
@given(data=st.data())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_nothing_is_broadcast(name, data):
    second, axis = data.draw(st.sampled_from(SHARED[name]))
    size = data.draw(st.sampled_from([1, 5, None]))
    values = {n: np.zeros(shape_of(axes), np.float32) for n, axes in arrays_of(name).items()}
    for index in {"indices", "iterations"} & values.keys():
        values[index] = values[index].astype(np.int32)
    shape = list(values[second].shape)
    place = arrays_of(name)[second].index(axis)
    shape[place : place + 1] = [] if size is None else [size]
    values[second] = np.zeros(shape, values[second].dtype)
    with pytest.raises(ValueError, match=rf"{second}.* must have the (same )?shape"):
        jax.eval_shape(lambda: call(name, values))


@pytest.mark.parametrize(
    "name", [name for name in PUBLIC if any(not axes for axes in arrays_of(name).values())]
)
def test_a_weight_is_one_number(name):
    for argument, axes in arrays_of(name).items():
        if axes:
            continue
        values = {n: np.zeros(shape_of(a), np.float32) for n, a in arrays_of(name).items()}
        for index in {"indices", "iterations"} & values.keys():
            values[index] = values[index].astype(np.int32)
        values[argument] = np.zeros(1, values[argument].dtype)
        with pytest.raises(ValueError, match=f"{argument} must be one number, not an array of"):
            jax.eval_shape(lambda values=values: call(name, values))


def test_integers_of_any_size_are_numbers():
    big = np.array([2**40, -(2**40)])
    np.testing.assert_array_equal(reduce.latent_sum(big[:, None]), np.float32([2**40, -(2**40)]))
    np.testing.assert_array_equal(
        reconstruction.absolute_error(np.uint64([2**63]), np.int8([0])), np.float32([2**63])
    )
    assert objective.beta_objective(1, 2, 2**40) == np.float32(2**41)
    assert schedules.linear(2**40, 4, 2**41) == 2


def test_python_numbers_are_real_numbers():
    assert objective.beta_objective(3, 2, 4).dtype == jnp.float32
    assert jax.jit(objective.beta_objective)(3, 2, 4).dtype == jnp.float32
    assert gaussian.free_bits(jnp.ones((2, 2), jnp.bfloat16), 3).dtype == jnp.bfloat16
    assert reconstruction.absolute_error(True, 3) == 2


def test_the_order_of_bytes_is_that_of_the_array():
    x = np.array([[0.5, 3.0]], ">f4")
    np.testing.assert_array_equal(gaussian.kl_per_dimension(x, 0 * x), [[0.125, 4.5]])


def test_few_bits_of_an_index_hold_for_many_codes():
    found = quantize.counts(np.array([1, 200], np.uint8), np.zeros((300, 1), np.float32))
    assert np.flatnonzero(found).tolist() == [1, 200]


def test_wide_integers_stay_float32_with_64_bit_types():
    with jax.enable_x64(True):
        assert gaussian.kl_divergence(np.ones((1, 2), int), np.ones((1, 2), int)).dtype == "float32"
        wide = gaussian.kl_per_dimension(np.float64([[3.0]]), np.float32([[0.0]]))
        assert (wide.dtype, wide.item()) == (jnp.float64, 4.5)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0], "mean must be an array, not a list; jax.numpy.asarray makes one"),
        (None, "mean must be an array, not a NoneType"),
        ("one", "mean must be an array, not a str"),
        (np.array(["one"]), "mean must hold integers or floats, not <U3"),
        (np.array([None]), "mean must hold integers or floats, not object"),
        (np.ones(1, complex), "mean must hold integers or floats, not complex128"),
        (jnp.ones(1, jnp.complex64), "mean must hold integers or floats, not complex64"),
        (np.ones(1, np.longdouble), "mean must hold integers or floats, not float128"),
    ],
)
def test_what_is_not_an_array_of_real_numbers_is_refused(value, words):
    with pytest.raises(TypeError, match=words):
        gaussian.kl_divergence(value, jnp.ones(1))


def test_indices_are_integers():
    with pytest.raises(TypeError, match="indices must hold integers, not float32"):
        quantize.counts(jnp.ones(3), jnp.ones((2, 1)))


@pytest.mark.parametrize("name", PUBLIC)
def test_an_unknown_argument_is_refused_with_the_nearest(name):
    argument = next(iter(PUBLIC[name].__annotations__))
    with pytest.raises(TypeError, match=rf"no option '{argument}_'; it takes .*{argument}"):
        PUBLIC[name](**{f"{argument}_": jnp.ones(1)})


def test_missing_and_double_arguments_are_pythons_own_errors():
    with pytest.raises(TypeError, match=r"missing .*required .*argument: 'log_var'"):
        gaussian.kl_divergence(jnp.ones(1))
    with pytest.raises(TypeError, match="multiple values for argument 'mean'"):
        gaussian.kl_divergence(jnp.ones(1), mean=jnp.ones(1))
    with pytest.raises(TypeError, match="positional arguments"):
        gaussian.kl_divergence(*jnp.ones((3, 1)))
