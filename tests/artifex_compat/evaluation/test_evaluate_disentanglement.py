"""`evaluate_disentanglement`, called as the page calls it, and as it should have worked."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from sklearn.metrics import mutual_info_score

from artifex_compat.data import Examples
from artifex_compat.evaluation import dci, evaluate_disentanglement, mig, modularity, sap
from artifex_compat.generative_models.models.vae import VAE
from tests.artifex_compat.make import by_config, images

GENERATOR = np.random.default_rng(0)
FACTORS = np.stack([GENERATOR.integers(n, size=300) for n in (3, 4)], axis=1)
X = np.concatenate([FACTORS, GENERATOR.normal(size=(300, 1))], axis=1).astype(np.float32)


class Encoder(nnx.Module):
    """Two latents that are factors with noise, one that is noise, one that is still."""

    def __call__(self, x):
        """Mean and log-variance."""
        mean = jnp.concatenate([x + 0.3 * x[:, ::-1], jnp.zeros((x.shape[0], 1))], axis=1)
        return mean, jnp.zeros_like(mean)


MODEL = VAE(encoder=Encoder(), decoder=lambda z: z, latent_dim=4, rngs=nnx.Rngs(0))
LATENTS = np.asarray(MODEL.encode(X)[0])


class Dataset:
    """What the page has: batches, and `take`."""

    def __init__(self, key="labels", size=32):
        self.batches = [
            {"data": jnp.asarray(X[i : i + size]), key: jnp.asarray(FACTORS[i : i + size])}
            for i in range(0, len(X), size)
        ]
        self.read = 0

    def take(self, count):
        """The first batches."""
        return self.batches[:count]

    def __iter__(self):
        for batch in self.batches:
            self.read += 1
            yield batch


def test_as_the_page_calls_it(capsys):
    results = evaluate_disentanglement(MODEL, Dataset(), metrics=["mig"])
    assert results["active_dimensions"] == 3
    assert type(results["active_dimensions"]) is int
    np.testing.assert_allclose(results["latent_variances"], LATENTS.var(axis=0), rtol=1e-5)
    printed = capsys.readouterr().out
    assert printed.startswith("Active dimensions: 3 / 4\nLatent variances: [")
    assert f"mean_mutual_information: {results['mean_mutual_information']:.4f}" in printed


def test_the_mean_mutual_information_is_that_of_the_labels():
    results = evaluate_disentanglement(MODEL, Dataset(), metrics=[], verbose=False)
    binned = []
    for column in LATENTS.T:
        edges = np.histogram_bin_edges(column, 10)
        binned.append(np.digitize(column, edges[:-1]))
    expected = np.mean([mutual_info_score(v, z) for z in binned for v in FACTORS.T])
    assert results["mean_mutual_information"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("key", ["factors", "label", "y"])
def test_factors_may_stand_under_other_names(key):
    results = evaluate_disentanglement(MODEL, Dataset(key), metrics=["mig"], verbose=False)
    assert results["mig"] == pytest.approx(float(mig(LATENTS, FACTORS)), abs=1e-6)


def test_the_metrics_are_those_of_the_latents():
    results = evaluate_disentanglement(MODEL, Dataset(), verbose=False)
    three = dci(LATENTS, FACTORS)
    expected = {
        "mig": mig(LATENTS, FACTORS),
        "sap": sap(LATENTS, FACTORS),
        "dci_disentanglement": three.disentanglement,
        "dci_completeness": three.completeness,
        "dci_informativeness": three.informativeness,
        "modularity": modularity(LATENTS, FACTORS),
    }
    for name, score in expected.items():
        assert results[name] == pytest.approx(float(score), abs=1e-6), name
    assert results["factor_vae"] > 0.9
    assert results["beta_vae"] > 0.9
    assert results["factors_left_out"] == ()
    names = [score["name"] for score in results["scores"]]
    assert names[:2] == ["active_units", "mean_mutual_information"]
    json.dumps(results, allow_nan=False)


def test_the_number_of_samples_is_what_is_said(capsys):
    few = Dataset()
    results = evaluate_disentanglement(MODEL, few, num_samples=100, metrics=["mig"])
    assert few.read == 4
    np.testing.assert_allclose(results["latent_variances"], LATENTS[:100].var(axis=0), rtol=1e-5)
    assert "mig: " in capsys.readouterr().out


def test_of_data_in_memory_the_choice_is_random_and_named_by_the_seed():
    order = np.argsort(FACTORS[:, 0], kind="stable")  # as of a data set that is sorted
    data = {"image": X[order], "labels": FACTORS[order]}
    options = {"num_samples": 150, "metrics": ["mig"], "verbose": False}
    first, again = (evaluate_disentanglement(MODEL, data, **options) for _ in range(2))
    assert first == again
    assert first["factors_left_out"] == ()
    assert first["mig"] != evaluate_disentanglement(MODEL, data, **options, seed=1)["mig"]
    every = evaluate_disentanglement(MODEL, data, metrics=["mig"], verbose=False)
    of_examples = evaluate_disentanglement(MODEL, Examples(X, FACTORS), metrics=["mig"])
    assert every["mig"] == pytest.approx(of_examples["mig"], abs=1e-6)


def test_one_label_is_one_factor():
    results = evaluate_disentanglement(MODEL, {"x": X, "label": FACTORS[:, 1]}, verbose=False)
    assert results["mig"] == pytest.approx(float(mig(LATENTS, FACTORS[:, 1])), abs=1e-6)
    assert "dci_disentanglement" not in results


def test_factors_that_do_not_vary_are_left_out_and_told():
    with_colour = np.insert(FACTORS, 0, 1, axis=1)  # as in dSprites
    results = evaluate_disentanglement(MODEL, Examples(X, with_colour), metrics=["mig"])
    assert results["factors_left_out"] == (0,)
    assert results["mig"] == pytest.approx(float(mig(LATENTS, FACTORS)), abs=1e-6)


def test_without_labels_it_needs_no_scikit_learn(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.metrics", None)
    results = evaluate_disentanglement(MODEL, X, verbose=False)
    assert set(results) == {"active_dimensions", "latent_variances", "scores"}


def test_a_model_in_training_mode_is_left_as_it_is():
    model, x = by_config(), images(50)
    model.train()
    before = jax.tree.leaves(nnx.state(model, nnx.Not(nnx.RngState)))
    results = evaluate_disentanglement(model, [{"data": x}], verbose=False)
    after = jax.tree.leaves(nnx.state(model, nnx.Not(nnx.RngState)))
    assert all(jnp.array_equal(a, b) for a, b in zip(before, after, strict=True))
    np.testing.assert_allclose(
        results["latent_variances"], model.encode(x)[0].var(axis=0), rtol=1e-3
    )


@pytest.mark.parametrize(
    ("dataset", "options", "words"),
    [
        ([], {}, "at least one example"),
        (X, {"num_samples": 0}, "num_samples must be a positive integer"),
        ({"data": X, "labels": FACTORS}, {"metrics": ["dsi"]}, "metrics must be one of"),
        (
            {"data": X, "labels": FACTORS[:5]},
            {},
            "as many rows in each of its arrays, not 5 and 300",
        ),
        ({"data": X, "labels": np.ones(300)}, {}, "the labels must vary"),
        ({"data": X, "labels": GENERATOR.random(300)}, {}, "factors must be classes"),
        ({"pixels": X}, {}, "must have its data under one of"),
        (iter([3]), {}, "the data must be an array"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(dataset, options, words):
    with pytest.raises((TypeError, ValueError), match=words) as error:
        evaluate_disentanglement(MODEL, dataset, **options)
    assert str(error.value).endswith((".", "?"))
    assert "\n" not in str(error.value)
