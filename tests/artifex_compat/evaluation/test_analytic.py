"""Cases whose scores follow from the definitions by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifex_compat.evaluation import (
    active_units,
    beta_vae_score,
    dci,
    factor_vae_score,
    mig,
    modularity,
    sap,
)

VALUES = 4
GRID = np.array(list(itertools.product(range(VALUES), repeat=3)) * 12)
GENERATOR = np.random.default_rng(0)
NOISE = GENERATOR.normal(size=(len(GRID), 3))
SAMPLED = {"votes": 500, "test_votes": 500}
POINTS = {"points": 300, "test_points": 300, "batch_size": 32}


def all_scores(z, v):
    three = dci(z, v)
    return {
        "mig": mig(z, v),
        "modularity": modularity(z, v),
        "sap": sap(z, v, continuous=True),
        "disentanglement": three.disentanglement,
        "completeness": three.completeness,
        "informativeness": three.informativeness,
        "factor_vae": factor_vae_score(z, v, **SAMPLED),
        "beta_vae": beta_vae_score(z, v, **POINTS),
    }


def test_one_latent_a_factor_is_1():
    for name, score in all_scores(GRID.astype(float), GRID).items():
        assert float(score) == pytest.approx(1, abs=1e-9), name


def test_one_latent_a_factor_beside_latents_that_do_not_vary_is_1():
    z = np.concatenate([GRID, np.zeros((len(GRID), 2))], axis=1)
    scores = all_scores(z, GRID)
    assert float(scores.pop("modularity")) == pytest.approx(3 / 5)
    for name, score in scores.items():
        assert float(score) == pytest.approx(1, abs=1e-9), name


def test_one_latent_for_two_factors_has_no_disentanglement_and_no_modularity():
    z = np.stack([VALUES * GRID[:, 0] + GRID[:, 1], GRID[:, 2]], axis=1)
    scores = all_scores(z, GRID)
    assert scores["disentanglement"].details["per_latent"] == pytest.approx(
        (1 - np.log(2) / np.log(3), 1)
    )
    two = GRID[:, :2]
    of_two = dci(np.stack([z[:, 0], np.zeros(len(z))], axis=1), two)
    assert float(of_two.disentanglement) == pytest.approx(0, abs=1e-9)
    assert float(of_two.completeness) == pytest.approx(1)
    assert float(of_two.informativeness) == pytest.approx(1)
    assert modularity(z, two).details["per_latent"][0] == pytest.approx(0, abs=1e-9)
    assert modularity(z, GRID).details["per_latent"] == pytest.approx((0.5, 1))
    # Both factors are told by one latent alone, which is all that MIG asks.
    assert float(scores["mig"]) == pytest.approx(1)


def test_two_latents_for_one_factor_have_no_gap():
    z = np.concatenate([GRID, -2.0 * GRID[:, :1]], axis=1)
    assert mig(z, GRID).details["per_factor"] == pytest.approx((0, 1, 1), abs=1e-9)
    assert sap(z, GRID, continuous=True).details["per_factor"] == pytest.approx((0, 1, 1), abs=1e-9)
    assert float(modularity(z, GRID)) == pytest.approx(1)


def test_half_of_a_factor_has_half_of_the_gap():
    high = (GRID[:, 0] >= VALUES // 2).astype(float)  # one bit of two
    z = np.stack([high, np.zeros(len(GRID))], axis=1)
    assert float(mig(z, GRID[:, 0])) == pytest.approx(0.5)


def test_noise_is_0_or_chance():
    scores = all_scores(NOISE, GRID)
    assert abs(float(scores["mig"])) < 0.01
    assert abs(float(scores["sap"])) < 0.01
    assert float(scores["disentanglement"]) < 0.05
    assert float(scores["completeness"]) < 0.05
    assert float(scores["informativeness"]) == pytest.approx(1 / VALUES, abs=0.07)
    assert float(scores["factor_vae"]) == pytest.approx(1 / 3, abs=0.1)
    assert float(scores["beta_vae"]) == pytest.approx(1 / 3, abs=0.1)
    assert float(sap(NOISE, GRID)) < 0.06


def test_sap_of_two_classes_is_the_accuracy_above_chance():
    classes = GRID[:, :2] // 2
    z = np.concatenate([classes, NOISE[:, :1]], axis=1)
    assert float(sap(z, classes)) == pytest.approx(0.5, abs=0.05)


def test_sap_takes_factors_of_both_kinds():
    v = np.stack([GRID[:, 0] // 2, GRID[:, 1]], axis=1)
    score = sap(GRID[:, :2].astype(float), v, continuous=[False, True])
    assert score.details["per_factor"] == pytest.approx((0.5, 1), abs=0.05)
    assert score.options["continuous"] == (False, True)


@pytest.mark.parametrize("regressor", ["random_forest", "gradient_boosting", "lasso"])
def test_dci_of_numbers(regressor):
    values = GENERATOR.random((400, 2))
    z = np.concatenate([5 * values[:, ::-1], GENERATOR.normal(size=(400, 1))], axis=1)
    found = dci(z, values, regressor=regressor, continuous=True)
    assert float(found.disentanglement) > 0.9
    assert float(found.informativeness) > 0.95
    assert np.argmax(found.disentanglement.details["importance"], axis=0).tolist() == [1, 0]


MIXED = GRID @ GENERATOR.normal(size=(3, 4)) + GENERATOR.normal(size=(len(GRID), 4))
BY_ARRAYS = {
    "mig": mig,
    "modularity": modularity,
    "sap": lambda z, v: sap(z, v, continuous=True),
    "sap of classes": lambda z, v: sap(z, v > 1),
    "factor_vae": lambda z, v: factor_vae_score(z, v, **SAMPLED),
    "beta_vae": lambda z, v: beta_vae_score(z, v, **POINTS),
}


@pytest.mark.parametrize("name", BY_ARRAYS)
@settings(max_examples=4, deadline=None)
@given(
    order=st.permutations(range(4)),
    scale=st.lists(st.floats(0.01, 100), min_size=4, max_size=4),
    shift=st.floats(-10, 10),
)
def test_permuted_and_rescaled_latents_change_nothing(name, order, scale, shift):
    score = BY_ARRAYS[name]
    moved = (MIXED * scale + shift)[:, order]
    # Rounding may carry an example over the edge of a bin, or of a class.
    assert float(score(moved, GRID)) == pytest.approx(float(score(MIXED, GRID)), abs=3e-3)


def test_permuted_and_rescaled_latents_change_no_dci():
    before, after = dci(MIXED, GRID), dci((MIXED * [1, -3, 0.1, 50])[:, [2, 0, 3, 1]], GRID)
    for name in ("disentanglement", "completeness", "informativeness"):
        found, expected = float(getattr(after, name)), float(getattr(before, name))
        assert found == pytest.approx(expected, abs=0.03), name


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_examples_changes_no_information(seed):
    rows = np.random.default_rng(seed).permutation(len(GRID))
    for score in (mig, modularity):
        assert float(score(MIXED[rows], GRID[rows])) == pytest.approx(float(score(MIXED, GRID)))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=1, max_size=5),
    st.floats(0.001, 1),
)
def test_active_units_are_those_above_the_threshold(scales, threshold):
    # Column j is ±scale, half and half: its variance is scale².
    z = np.array([[1.0], [-1.0]]) * scales
    expected = sum(s * s > threshold for s in scales)
    assert float(active_units(z, threshold=threshold)) == expected


def test_a_latent_that_does_not_vary_is_left_out_of_votes():
    z = np.concatenate([np.zeros((len(GRID), 1)), GRID], axis=1)
    score = factor_vae_score(z, GRID, **SAMPLED)
    assert score.details["latents_used"] == (1, 2, 3)
    assert score.details["votes"][0] == (0, 0, 0)
    assert float(factor_vae_score(np.zeros((len(GRID), 2)), GRID)) == 0


def test_values_of_one_example_are_not_voted_on():
    # 300 of them: each alone would have no variance in any latent, and be a pair with itself.
    alone = np.zeros((300, 3), int)
    alone[:, 0] = VALUES + np.arange(300)
    v = np.concatenate([GRID, alone])
    z = np.concatenate([GRID, alone])[:, ::-1].astype(float)
    score = factor_vae_score(z, v, **SAMPLED)
    assert np.array(score.details["votes"])[:2, 0].sum() == 0


def test_votes_that_are_counted_are_not_those_that_chose():
    score = factor_vae_score(NOISE, GRID, votes=12, test_votes=4000)
    assert float(score) == pytest.approx(1 / 3, abs=0.04)
    assert score.details["training_accuracy"] > 0.5
