"""What metrics take and refuse, and what is stored with a score."""

import json
import subprocess
import sys
from importlib.metadata import version

import jax.numpy as jnp
import numpy as np
import pytest

from artifex_compat.evaluation import (
    Score,
    active_units,
    beta_vae_score,
    codebook_usage,
    collapsed_dimensions,
    dci,
    elbo,
    factor_vae_score,
    kl_per_dimension,
    mig,
    modularity,
    reconstruction_mse,
    sap,
)

GENERATOR = np.random.default_rng(0)
Z = GENERATOR.normal(size=(60, 3))
V = GENERATOR.integers(3, size=(60, 2))
OF_FACTORS = (mig, sap, dci, modularity, factor_vae_score, beta_vae_score)


def sentence(error):
    text = str(error.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    return text


def with_nan(array):
    broken = np.array(array, float)
    broken[7] = np.nan
    return broken


REFUSED = {
    "a list": (Z.tolist(), V, "latents must be an array"),
    "a vector": (Z[:, 0], V, r"latents must be \[n, latent\]"),
    "NaN latents": (with_nan(Z), V, "1 of 60 rows are not, the first of them number 7"),
    "NaN factors": (Z, with_nan(V), "factors must be finite"),
    "other rows": (Z, V[:50], r"factors must be \[60\] or \[60, factors\]"),
    "rank 3": (Z, V[:, :, None], "a row for each row of latents"),
    "still": (Z, V * [1, 0], "factor 1 has one value only: leave it out"),
}


@pytest.mark.parametrize("metric", OF_FACTORS)
@pytest.mark.parametrize("case", REFUSED)
def test_arrays_that_do_not_fit_are_refused_in_one_sentence(metric, case):
    latents, factors, words = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=words) as error:
        metric(latents, factors)
    sentence(error)


@pytest.mark.parametrize("metric", OF_FACTORS)
def test_continuous_factors_are_no_classes(metric):
    with pytest.raises(ValueError, match=r"factor 0 has 60 values in 60 examples") as error:
        metric(Z, GENERATOR.random((60, 2)))
    sentence(error)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mig(Z[:, :1], V), "at least 2 examples and 2 dimensions"),
        (lambda: mig(Z, V, bins=0), "bins must be a positive integer"),
        (lambda: dci(Z, V[:, 0]), "factors must be at least 2"),
        (lambda: modularity(Z, V[:, 0]), "factors must be at least 2"),
        (lambda: beta_vae_score(Z, V[:, 0]), "factors must be at least 2"),
        (lambda: dci(Z, V, regressor="forest"), "did you mean 'random_forest'"),
        (lambda: sap(Z, V, continuous=[True]), "continuous must be True, False, or 2 of them"),
        (lambda: sap(Z, V, test_fraction=0.0), "test_fraction must leave"),
        (lambda: factor_vae_score(Z, V, batch_size=1), "batch_size must be at least 2"),
        (lambda: factor_vae_score(Z, V, votes=0), "votes must be a positive integer"),
        (lambda: kl_per_dimension(Z, Z[:, :2]), "mean and log_var must have the same shape"),
        (lambda: kl_per_dimension(Z[0], Z[0]), r"mean must be \[n, latent\]"),
        (lambda: reconstruction_mse(Z, V), "must have the same shape"),
        (lambda: elbo(np.zeros(5), Z, Z), r"log_likelihood must be \[60\]"),
        (lambda: codebook_usage(np.array([0, 4]), 4), "from 0 to 3, at least one.* from 0 to 4"),
        (lambda: codebook_usage(np.array([0.5]), 4), "indices must be integers"),
    ],
)
def test_options_that_are_not_allowed(call, words):
    with pytest.raises((TypeError, ValueError), match=words) as error:
        call()
    sentence(error)


@pytest.mark.parametrize("metric", [mig, sap, modularity, active_units])
def test_scores_are_json_with_versions_and_options(metric):
    score = metric(Z) if metric is active_units else metric(Z, V)
    written = json.loads(json.dumps(score.as_dict(), allow_nan=False))
    assert written["value"] == float(score)
    assert written["versions"]["scikit-learn"] == version("scikit-learn")
    assert set(written["versions"]) == {"edifice-py", "jax", "numpy", "scikit-learn"}
    assert written["options"]


def test_scores_of_equal_seeds_are_equal():
    few = {"votes": 300, "test_votes": 300}
    assert sap(Z, V) == sap(Z, V) != sap(Z, V, seed=1)
    assert dci(Z, V) == dci(Z, V)
    first, again = (factor_vae_score(Z, V, **few) for _ in range(2))
    assert first == again != factor_vae_score(Z, V, **few, seed=1)
    few = {"points": 300, "test_points": 300}
    assert beta_vae_score(Z, V, **few) == beta_vae_score(Z, V, **few)


@pytest.mark.parametrize("metric", [mig, sap, modularity])
def test_arrays_of_jax_and_of_other_types_give_the_same(metric):
    rounded = Z.astype(np.float16)
    expected = metric(rounded, V).value
    assert metric(jnp.asarray(rounded), jnp.asarray(V)).value == expected
    assert metric(rounded.astype(np.float32), V.astype(float)).value == expected


def test_numbers_of_classes_mean_nothing():
    renamed = np.array([5, -2, 9])[V]
    assert mig(Z, renamed).value == pytest.approx(mig(Z, V).value)
    assert factor_vae_score(Z, renamed).value == pytest.approx(
        factor_vae_score(Z, V).value, abs=0.05
    )


def test_kl_reconstruction_and_codes():
    mean, log_var = np.array([[1.0, 0.0], [3.0, 0.0]]), np.zeros((2, 2))
    score = kl_per_dimension(mean, log_var)
    assert score.value == pytest.approx(2.5)
    assert score.details["per_dimension"] == pytest.approx((2.5, 0))
    assert collapsed_dimensions(mean, log_var) == (1,)
    assert kl_per_dimension(mean.reshape(1, 2, 1, 2), log_var.reshape(1, 2, 1, 2)).details[
        "per_dimension"
    ] == pytest.approx((0.5, 0, 4.5, 0))
    assert reconstruction_mse(mean, log_var).value == pytest.approx(10 / 4)
    assert elbo(np.array([[1.0, 2.0], [3.0, 4.0]]), mean, log_var).value == pytest.approx(0)
    usage = codebook_usage(jnp.array([[0, 0], [2, 2]]), 4)
    assert usage.value == pytest.approx(2)
    assert usage.details == {"dead_share": 0.5, "counts": (2, 0, 2, 0)}


def test_collapse_allows_the_share_of_examples_that_it_is_given():
    mean = np.zeros((100, 1))
    mean[0] = 1
    zeros = np.zeros((100, 1))
    assert collapsed_dimensions(mean, zeros) == (0,)
    assert collapsed_dimensions(mean, zeros, delta=0.005) == ()
    assert collapsed_dimensions(mean, zeros, delta=0.005, epsilon=0.51) == (0,)


@pytest.mark.parametrize("metric", [mig, sap, dci, modularity, beta_vae_score])
def test_without_scikit_learn_one_sentence_names_the_extra(metric, monkeypatch):
    for name in ("metrics", "svm", "ensemble", "linear_model"):
        monkeypatch.setitem(sys.modules, f"sklearn.{name}", None)
    with pytest.raises(ImportError, match=r"needs scikit-learn: .*edifice-py\[evaluate\]") as error:
        metric(Z, V)
    sentence(error)
    assert float(active_units(Z)) == 3
    assert 0 <= float(factor_vae_score(Z, V)) <= 1


IMPORTS = """
import json, sys
import jax
before = dict(jax.config.values)
import artifex_compat.evaluation, artifex_compat.data, artifex_compat.pictures
from jax._src import xla_bridge
changed = [name for name, value in jax.config.values.items() if before.get(name) != value]
print(json.dumps([sorted({name.partition(".")[0] for name in sys.modules}), changed,
                  bool(xla_bridge._backends)]))
"""


def test_an_import_computes_nothing_and_brings_no_extra():
    run = [sys.executable, "-c", IMPORTS]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    roots, changed, started = json.loads(found)
    assert {"sklearn", "scipy", "PIL", "matplotlib", "golden", "orbax"}.isdisjoint(roots)
    assert changed == []
    assert not started


def test_a_score_is_what_it_was_made_of():
    score = Score("mig", 0.25, {"bins": 20})
    assert float(score) == 0.25
    assert score.as_dict()["details"] == {}
