"""The metrics are those of their papers: held against a transcription that shares no code."""

import numpy as np
import pytest

from artifex_compat.evaluation import (
    beta_vae_score,
    dci,
    factor_vae_score,
    mig,
    modularity,
    sap,
)
from artifex_compat.evaluation.dci_metric import completeness_of, disentanglement_of
from tests.artifex_compat.evaluation import definitions

SIZES, RARE = (3, 4), 0.2
"""How many values two factors have, and how often the third one is 1 and not 0."""

MIX = np.array([[1.0, 0.0, 0.0, 0.6], [0.2, 0.7, 0.1, 0.6], [0.0, 0.1, 0.5, 0.1]])


class Mixed:
    """A representation that entangles factors, and is noisy, so that no score is 0 or 1."""

    def __init__(self, seed=0, noise=0.6):
        self.generator, self.noise = np.random.default_rng(seed), noise

    def draw(self, count):
        """Factors at random."""
        even = [self.generator.integers(n, size=count) for n in SIZES]
        return np.stack([*even, self.generator.random(count) < RARE], axis=1).astype(int)

    def represent(self, factors):
        """Their latents."""
        return factors @ MIX + self.noise * self.generator.normal(size=(len(factors), 4))

    def examples(self, count):
        """Latents and factors."""
        factors = self.draw(count)
        return self.represent(factors), factors


@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_information_are_those_of_the_same_examples(seed):
    z, v = Mixed(seed).examples(500)
    assert float(mig(z, v)) == pytest.approx(definitions.mig(z, v), abs=1e-9)
    assert float(modularity(z, v)) == pytest.approx(definitions.modularity(z, v), abs=1e-9)
    squared = sap(z, v, continuous=True)
    assert float(squared) == pytest.approx(definitions.sap_continuous(z, v), abs=1e-9)


def test_sap_of_classes_within_sampling_error():
    mixed = Mixed()
    expected = definitions.sap_classes(*mixed.examples(8000), *mixed.examples(8000))
    found = float(sap(*mixed.examples(16_000), test_fraction=0.5))
    assert 0.05 < expected < 0.6
    # Two accuracies of 8,000 examples each, on both sides: a deviation of 0.006 at most.
    assert found == pytest.approx(expected, abs=0.02)


def test_dci_by_boosting_within_sampling_error():
    mixed = Mixed()
    expected = definitions.dci_boosted(*mixed.examples(600), *mixed.examples(600))
    found = dci(*mixed.examples(1200), regressor="gradient_boosting", test_fraction=0.5)
    scores = found.disentanglement, found.completeness, found.informativeness
    assert np.array(expected).min() > 0.15
    assert np.array(expected).max() < 0.9
    np.testing.assert_allclose([float(score) for score in scores], expected, atol=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_dci_of_importances(seed):
    importance = np.random.default_rng(seed).gamma(0.4, size=(6, 3))
    importance[4] = 0
    expected = definitions.dci_of(importance)
    found = float(disentanglement_of(importance)), float(completeness_of(importance))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_factor_vae_within_sampling_error(seed):
    mixed = Mixed(seed, noise=1.5)
    expected = definitions.factor_vae(mixed.represent, mixed.draw, mixed.generator)
    found = float(factor_vae_score(*mixed.examples(20_000), seed=seed))
    assert 0.4 < expected < 0.98
    # 1,500 votes there and 5,000 here: a deviation of 0.013 and of 0.007.
    assert found == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("seed", range(2))
def test_beta_vae_within_sampling_error(seed):
    mixed = Mixed(seed, noise=3.0)
    expected = definitions.beta_vae(mixed.represent, mixed.draw, mixed.generator)
    found = float(beta_vae_score(*mixed.examples(20_000), seed=seed))
    assert 0.4 < expected < 0.98
    assert found == pytest.approx(expected, abs=0.06)
