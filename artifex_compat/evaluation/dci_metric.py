"""Disentanglement, completeness and informativeness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    values_of_factors,
)
from artifex_compat.evaluation.score import Score, numbers
from edifice_py.checks import choice


@dataclass(frozen=True)
class DCI:
    """The three scores.

    Attributes:
        disentanglement: whether each latent tells about one factor only.
        completeness: whether each factor is told by one latent only.
        informativeness: how well all latents together predict a factor.
    """

    disentanglement: Score
    completeness: Score
    informativeness: Score


def dci(
    latents: Array,
    factors: Array,
    *,
    regressor: str = "random_forest",
    continuous: bool | Sequence[bool] = False,
    test_fraction: float = 1 / 3,
    seed: int = 0,
) -> DCI:
    r"""Which latents a predictor of each factor finds important.

    R is the importance of latent i for factor k. A latent's disentanglement is
    \(1 - H_K(R_{i\cdot} / \sum_k R_{ik})\), the entropy to the base of the number of factors, and
    the score their mean, weighted by \(\sum_k R_{ik}\). A factor's completeness is
    \(1 - H_D(R_{\cdot k} / \sum_i R_{ik})\), to the base of the number of latents. Informativeness
    is the accuracy on examples that the predictor was not fitted to, or for continuous factors the
    coefficient of determination there, at least 0.

    The numbers depend on the predictor; say which, and compare only like with like.

    Args:
        latents: posterior means, `[n, latent]`, at least two latents.
        factors: classes or numbers, `[n, factors]`, at least two factors.
        regressor: "random_forest", the paper's (here 50 trees that see every latent at every
            split, with at least 5 examples in a leaf: fully grown trees spend importance on
            noise); "gradient_boosting", scikit-learn's defaults as in disentanglement_lib, whose
            numbers are the published ones, more than ten times as slow; or "lasso", the paper's
            other, whose importances are the absolute coefficients of standardized latents for the
            number of a class or the value of a factor.
        continuous: whether the factors are numbers, for all of them or one by one.
        test_fraction: the share of examples that informativeness is measured on.
        seed: names which these are, and the predictor's draws.

    Returns:
        Three scores in [0, 1]; details: `per_latent`, `per_factor`, and `importance`
        `[latent, factors]`.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: there is no such regressor, their shapes do not fit, they are not finite, or a
            factor does not vary, or is no class where it should be.
        ImportError: scikit-learn is not installed.

    Reference:
        Eastwood and Williams (2018), A Framework for the Quantitative Evaluation of Disentangled
        Representations, section 2; Locatello et al. (2019), appendix C.
    """
    choice("regressor", regressor, _PREDICTORS)
    z = standardized(latents_of(latents, least=2))
    values = values_of_factors(factors, len(z))
    if values.shape[1] < 2:
        raise ValueError("factors must be at least 2 for dci, not 1: it asks which of them.")
    kinds = flags("continuous", continuous, values.shape[1])
    train, test = split(len(z), test_fraction, seed)
    importance, informativeness = [], []
    for column, numeric in zip(values.T, kinds, strict=True):
        target = column if numeric else classes_of_factors(column, len(z))[:, 0]
        predictor = _PREDICTORS[regressor](numeric, seed)
        predictor.fit(z[train], target[train])
        importance.append(_importance(predictor))
        # Never negative: worse than the mean tells no more than nothing.
        informativeness.append(max(0.0, float(predictor.score(z[test], target[test]))))
    options = {
        "regressor": regressor,
        "continuous": numbers(kinds),
        "test_fraction": test_fraction,
        "seed": seed,
    }
    matrix = np.stack(importance, axis=1)
    return DCI(
        disentanglement_of(matrix, options),
        completeness_of(matrix, options),
        Score(
            "dci_informativeness",
            float(np.mean(informativeness)),
            options,
            {"per_factor": tuple(informativeness)},
        ),
    )


def disentanglement_of(importance: Array, options: dict[str, Any] | None = None) -> Score:
    """Disentanglement from importances.

    Args:
        importance: `[latent, factors]`, not negative. A latent of no importance counts for nothing;
            if none has any the score is 0.
        options: what they were computed with.

    Example:
        >>> float(disentanglement_of(np.array([[1.0, 0.0], [0.0, 1.0]])))
        1.0
        >>> float(disentanglement_of(np.array([[1.0, 1.0], [0.0, 0.0]])))
        0.0
    """
    value, per_latent = _concentration(importance)
    details = {"per_latent": numbers(per_latent), "importance": numbers(importance)}
    return Score("dci_disentanglement", value, options or {}, details)


def completeness_of(importance: Array, options: dict[str, Any] | None = None) -> Score:
    """Completeness from importances, weighted by the importance that each factor gave out.

    Args:
        importance: `[latent, factors]`, not negative.
        options: what they were computed with.

    Example:
        >>> float(completeness_of(np.array([[1.0, 1.0], [0.0, 0.0]])))
        1.0
    """
    value, per_factor = _concentration(importance.T)
    details = {"per_factor": numbers(per_factor), "importance": numbers(importance)}
    return Score("dci_completeness", value, options or {}, details)


def _concentration(matrix: Array) -> tuple[float, Array]:
    """One less the entropy of each row, to the base of its length; and their weighted mean."""
    totals = matrix.sum(axis=1)
    shares = matrix / np.where(totals > 0, totals, 1)[:, None]
    logs = np.log(np.where(shares > 0, shares, 1))
    rows = 1 + (shares * logs).sum(axis=1) / np.log(matrix.shape[1])
    rows = np.where(totals > 0, rows, 0.0)
    return float(rows @ totals / totals.sum()) if totals.any() else 0.0, rows


def _importance(predictor: Any) -> Array:
    found = getattr(predictor, "feature_importances_", None)
    return np.abs(predictor.coef_) if found is None else found


def _random_forest(numeric: bool, seed: int) -> Any:
    options = {"n_estimators": 50, "min_samples_leaf": 5, "random_state": seed}
    return _ensemble("RandomForest", numeric)(max_features=None, **options)


def _gradient_boosting(numeric: bool, seed: int) -> Any:
    return _ensemble("GradientBoosting", numeric)(random_state=seed)


def _ensemble(kind: str, numeric: bool) -> Any:
    module = extra_module("sklearn.ensemble", "scikit-learn", "dci()")
    return getattr(module, f"{kind}{'Regressor' if numeric else 'Classifier'}")


def _lasso(numeric: bool, seed: int) -> Any:  # noqa: ARG001 # class numbers are regressed on too
    module = extra_module("sklearn.linear_model", "scikit-learn", "dci()")
    return module.LassoCV(cv=5, random_state=seed, max_iter=10_000)


_PREDICTORS: dict[str, Callable[[bool, int], Any]] = {
    "random_forest": _random_forest,
    "gradient_boosting": _gradient_boosting,
    "lasso": _lasso,
}
