"""The metric of beta-VAE."""

import numpy as np

from artifex_compat.data.extras import extra_module
from artifex_compat.evaluation.arrays import Array, classes_of_factors, latents_of, standardized
from artifex_compat.evaluation.groups import Groups, draws
from artifex_compat.evaluation.score import Score, numbers
from edifice_py.checks import positive_int


def beta_vae_score(
    latents: Array,
    factors: Array,
    *,
    batch_size: int = 64,
    points: int = 10_000,
    test_points: int = 5_000,
    seed: int = 0,
) -> Score:
    """Whether a linear classifier tells which factor pairs of examples share.

    A point draws pairs of examples that share the value of one random factor, and is the mean
    absolute difference of their latents. Logistic regression learns the factor from the point; the
    score is its accuracy on other points. By chance it is 1 over the number of factors.

    The other factors of a pair are as they are in the examples: give examples in which factors are
    independent, and many for each value.

    Args:
        latents: posterior means, `[n, latent]`. They are standardized first, which
            disentanglement_lib does not: the score does not depend on their scale.
        factors: classes, `[n, factors]`, at least two factors.
        batch_size: how many pairs a point is the mean of.
        points: how many the classifier is fitted to.
        test_points: how many are counted.
        seed: names the draws.

    Returns:
        A score in [0, 1]; details: `training_accuracy`, `per_factor` and `chance`.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes do not fit, they are not finite, a factor does not vary or is no
            class, or a number is not positive.
        ImportError: scikit-learn is not installed.

    Reference:
        Higgins et al. (2017), beta-VAE, section 3 and appendix A.2; numbers of points as Locatello
        et al. (2019), appendix C.
    """
    z = standardized(latents_of(latents))
    classes = classes_of_factors(factors, len(z))
    count = classes.shape[1]
    if count < 2:
        raise ValueError("factors must be at least 2 for beta_vae_score, not 1: it asks which.")
    options = {
        "batch_size": positive_int("batch_size", batch_size),
        "points": positive_int("points", points),
        "test_points": positive_int("test_points", test_points),
        "seed": seed,
    }
    linear = extra_module("sklearn.linear_model", "scikit-learn", "beta_vae_score()")
    generator = np.random.default_rng(seed)
    groups = [Groups(column) for column in classes.T]
    fitted, tested = (
        _points(z, groups, number, batch_size, generator) for number in (points, test_points)
    )
    classifier = linear.LogisticRegression(max_iter=10_000).fit(*fitted)
    right = classifier.predict(tested[0]) == tested[1]
    asked = np.bincount(tested[1], minlength=count)
    details = {
        "training_accuracy": float(classifier.score(*fitted)),
        "per_factor": numbers(np.bincount(tested[1], right, count) / np.maximum(asked, 1)),
        "chance": 1 / count,
    }
    return Score("beta_vae", float(right.mean()), options, details)


def _points(
    z: Array, groups: list[Groups], number: int, batch_size: int, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Points `[number, latent]`, and the factor that each is about, `[number]`."""
    points, about = [], []
    for factor, size in draws(groups, number, generator):
        group = groups[factor]
        first = group.examples(size * batch_size, generator)
        differences = np.abs(z[first] - z[group.members(first, 1, generator)[:, 0]])
        points.append(differences.reshape(size, batch_size, -1).mean(axis=1))
        about.append(np.full(size, factor))
    return np.concatenate(points), np.concatenate(about)
