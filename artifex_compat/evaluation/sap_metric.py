"""Separated attribute predictability."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from artifex_compat.data.extras import extra_module
from artifex_compat.evaluation.arrays import (
    Array,
    classes_of_factors,
    flags,
    latents_of,
    split,
    standardized,
    top_two,
    values_of_factors,
)
from artifex_compat.evaluation.score import Score, numbers


def sap(
    latents: Array,
    factors: Array,
    *,
    continuous: bool | Sequence[bool] = False,
    test_fraction: float = 1 / 3,
    seed: int = 0,
) -> Score:
    r"""How much better the best latent alone predicts a factor than the second best does.

    \(\frac{1}{K} \sum_k (S_{j_k k} - \max_{j \ne j_k} S_{jk})\). For classes S is the accuracy, on
    examples that it was not fitted to, of a linear support vector machine (C = 0.01, classes
    weighted evenly) on one latent; for continuous factors the squared correlation.

    A linear machine on one number cannot tell a class in the middle from those on both sides, so
    that of many classes even a perfect latent predicts few; two classes give at most 1/2.

    Args:
        latents: posterior means, `[n, latent]`, at least two latents. They are standardized first,
            which disentanglement_lib does not: the score does not depend on their scale.
        factors: classes or numbers, `[n, factors]` or `[n]`.
        continuous: whether the factors are numbers, for all of them or one by one.
        test_fraction: the share of examples that accuracies are measured on.
        seed: names which these are.

    Returns:
        A score in [0, 1]; details: `per_factor`, `best_latent`, and `predictability`
        `[latent, factors]`.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes do not fit, they are not finite, or a factor does not vary, or is
            no class where it should be.
        ImportError: scikit-learn is not installed.

    Reference:
        Kumar, Sattigeri and Balakrishnan (2018), Variational Inference of Disentangled Latent
        Concepts from Unlabeled Observations, section 3; C as Locatello et al. (2019), appendix C.
    """
    z = standardized(latents_of(latents, least=2))
    values = values_of_factors(factors, len(z))
    kinds = flags("continuous", continuous, values.shape[1])
    rows = split(len(z), test_fraction, seed)
    columns = [
        _squared_correlations(z, column)
        if numeric
        else _accuracies(z, classes_of_factors(column, len(z))[:, 0], rows, seed)
        for column, numeric in zip(values.T, kinds, strict=True)
    ]
    predictability = np.stack(columns, axis=1)
    gaps, best = top_two(predictability)
    options = {"continuous": numbers(kinds), "test_fraction": test_fraction, "seed": seed}
    details = {
        "per_factor": numbers(gaps),
        "best_latent": numbers(best),
        "predictability": numbers(predictability),
    }
    return Score("sap", float(np.mean(gaps)), options, details)


def _squared_correlations(z: Array, values: Array) -> Array:
    """Of standardized latents `[n, latent]` with a factor `[n]`."""
    return (z.T @ standardized(values[:, None])[:, 0] / len(z)) ** 2


def _accuracies(z: Array, classes: Array, rows: tuple[Array, Array], seed: int) -> Array:
    """Of a machine for each latent."""
    svm: Any = extra_module("sklearn.svm", "scikit-learn", "sap() of classes").LinearSVC
    train, test = rows
    result = []
    for column in z.T:
        machine = svm(C=0.01, class_weight="balanced", dual="auto", random_state=seed)
        machine.fit(column[train, None], classes[train])
        result.append(machine.score(column[test, None], classes[test]))
    return np.array(result)
