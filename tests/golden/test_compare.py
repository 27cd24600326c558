"""The comparator: what it lets through, and what it says of the rest."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.compare import EXACT, Tolerance, compare, distances, ulps

TIGHT = Tolerance(absolute=1e-6, relative=1e-6)
FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


@given(st.floats(width=32), st.floats(width=32))
def test_only_equal_numbers_pass_exactly(a, b):
    same = a == b or (np.isnan(a) and np.isnan(b))
    difference = compare(np.float32([a]), np.float32([b]), EXACT)
    assert difference.within == same


@given(st.floats(-(2.0**99), 2.0**99, width=32), st.integers(0, 50))
def test_ulps_count_the_floats_between(x, steps):
    y = np.float32(x)
    for _ in range(steps):
        y = np.nextafter(y, np.float32(np.inf))
    assert ulps(np.float32([x]), np.array([y]))[0] == steps


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_ulp_is_one_in_every_dtype(dtype):
    one = np.ones(1, dtype)
    assert ulps(one, np.nextafter(one, np.full(1, 2, dtype)))[0] == 1
    zero = np.zeros(1, dtype)
    assert ulps(-zero, zero)[0] == 0


def test_the_worst_element_is_the_one_worst_against_what_is_allowed():
    wanted = np.float32([[1000.0, 1.0], [0.0, 1.0]])
    had = np.float32([[1000.5, 1.0], [0.4, 1.0]])
    difference = compare(wanted, had, Tolerance(absolute=0.1, relative=0.01))
    assert not difference.within
    assert difference.index == (1, 0)
    assert (difference.wanted, round(difference.had, 3)) == (0.0, 0.4)
    assert difference.max_absolute == 0.5
    assert difference.max_scaled == pytest.approx(0.0005)


@pytest.mark.parametrize(
    ("wanted", "had"),
    [(1.0, np.nan), (np.nan, 1.0), (1.0, np.inf), (np.inf, 3e38), (np.inf, -np.inf)],
)
def test_no_tolerance_lets_a_number_pass_for_what_is_none(wanted, had):
    loose = Tolerance(absolute=np.inf, relative=1e9)
    difference = compare(np.float32([2, wanted]), np.float32([2, had]), loose)
    assert not difference.within
    assert difference.index == (1,)


def test_equal_infinities_and_nans_pass():
    special = np.float32([np.inf, -np.inf, np.nan])
    assert compare(special, special, EXACT).within


def test_integers_are_never_near():
    difference = compare(np.uint32([1, 2**32 - 1]), np.uint32([1, 0]), TIGHT)
    assert not difference.within
    assert difference.index == (1,)
    assert difference.max_absolute == 2**32 - 1


@pytest.mark.parametrize(
    "had", [np.zeros((3, 2), np.float32), np.zeros((2, 3), np.float64), np.zeros((2, 3), np.int32)]
)
def test_another_shape_or_dtype_is_a_failure_however_near(had):
    difference = compare(np.zeros((2, 3), np.float32), had, TIGHT)
    assert not difference.within
    assert difference.problem.startswith("wanted f32[2, 3], had ")


def test_a_wide_implementation_may_answer_in_float64_only_for_floats():
    assert compare(np.float32([0.1]), np.float64([0.1]), TIGHT, wide=True).within
    assert compare(np.float32([np.inf]), np.float64([1e300]), TIGHT, wide=True).within
    assert not compare(np.int32([1]), np.float64([1]), TIGHT, wide=True).within
    assert not compare(np.float32([1]), np.int64([1]), TIGHT, wide=True).within


def test_empty_arrays_are_equal():
    assert compare(np.zeros((0, 3)), np.zeros((0, 3)), EXACT).within


def test_the_scale_of_huge_values_does_not_overflow():
    loose = Tolerance(relative=1e-12, scale=1.0)
    assert not compare(np.array([1e200, 1.0]), np.array([1.0, 1.0]), loose).within


def test_a_scale_speaks_for_the_terms_of_a_sum():
    scaled = Tolerance(relative=0.1, scale=1.0)
    np.testing.assert_allclose(scaled.allowed(np.array([0.0, 4.0])), [0.1 * 8**0.5, 0.4])


def test_where_nothing_is_allowed_the_greatest_difference_is_the_worst():
    found = compare(np.float32([1, 2, 3]), np.float32([1.5, 2, 7]), EXACT)
    assert found.index == (2,)
    assert (found.wanted, found.had) == (3.0, 7.0)


def test_distances_of_what_is_not_finite():
    nan, inf = np.nan, np.inf
    wanted = np.float32([1, nan, inf, -inf, nan, 2, inf])
    had = np.float32([3, nan, inf, inf, 1, nan, 0])
    assert distances(wanted, had).tolist() == [2, 0, 0, inf, inf, inf, inf]


def test_distances_of_integers_do_not_wrap_around():
    assert distances(np.uint8([0, 255]), np.uint8([255, 255])).tolist() == [255, 0]
