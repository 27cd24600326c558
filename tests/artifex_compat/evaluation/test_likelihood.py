"""Log-likelihood and ELBO: those of a linear Gaussian model in closed form, and of the losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.tree_util import Partial

from artifex_compat.evaluation import (
    importance_weighted_log_likelihood,
    model_elbo,
    model_log_likelihood,
    model_reconstruction_mse,
)
from artifex_compat.evaluation.densities import likelihood
from artifex_compat.generative_models.models.vae import VAE, VQVAE, ConditionalVAE
from artifex_compat.generative_models.training import VAETrainer, VAETrainingConfig
from tests.artifex_compat.evaluation import linear_gaussian as linear
from tests.artifex_compat.make import by_config, by_parts, state_of

X = linear.draw(300)
MEAN, LOG_VAR = linear.posterior_of(X)
TRUE = linear.log_likelihood_of(X)


def estimate(mean=MEAN, log_var=LOG_VAR, x=X, function=linear.log_likelihood, **options):
    return importance_weighted_log_likelihood(x, mean, log_var, function, **options)


def test_from_the_true_posterior_every_sample_is_exact():
    for samples in (1, 5000):
        found = estimate(samples=samples)
        np.testing.assert_allclose(found.details["per_example"], TRUE, atol=1e-4)
    assert found.value == pytest.approx(TRUE.mean(), abs=1e-5)
    assert found.details["standard_error"] == pytest.approx(
        TRUE.std(ddof=1) / np.sqrt(len(TRUE)), rel=1e-4
    )


def test_from_another_posterior_5000_samples_are_within_a_thousandth_of_a_nat():
    found = estimate(MEAN + 0.05, LOG_VAR + 0.2)
    assert found.options["samples"] == 5000
    assert found.value == pytest.approx(TRUE.mean(), abs=1e-3)
    assert np.abs(found.details["per_example"] - TRUE).max() < 0.03


def test_more_samples_bound_it_tighter():
    bounds = [estimate(MEAN + 0.2, LOG_VAR + 1, samples=k).value for k in (1, 10, 500)]
    assert bounds == sorted(bounds)
    assert bounds[0] < TRUE.mean() - 0.3
    assert bounds[-1] == pytest.approx(TRUE.mean(), abs=0.01)


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_change_nothing(chunk):
    given_ = {"mean": MEAN[:3], "log_var": LOG_VAR[:3] + 1, "x": X[:3], "samples": 30}
    np.testing.assert_allclose(
        estimate(**given_, chunk_size=chunk).details["per_example"],
        estimate(**given_, chunk_size=30).details["per_example"],
        rtol=1e-5,
    )


def test_likelihoods_beyond_float32_do_not_overflow():
    for offset in (-1000.0, 1000.0):
        moved = estimate(
            log_var=LOG_VAR + 0.2,
            samples=500,
            function=lambda x, z, offset=offset: linear.log_likelihood(x, z) + offset,
        )
        assert moved.value - offset == pytest.approx(TRUE.mean(), abs=0.01)


def test_a_prior_of_ones_own_and_parameters_that_are_not_compiled_in():
    def shifted(parameters, x, z):
        return linear.log_likelihood(x, z) + parameters

    def prior(z):
        return jnp.sum(-0.5 * z**2 - 0.5 * jnp.log(2 * jnp.pi), axis=1)

    for offset in (0.0, 2.0):
        found = estimate(function=Partial(shifted, jnp.float32(offset)), log_prior=prior, samples=3)
        assert found.value == pytest.approx(TRUE.mean() + offset, abs=1e-4)


@pytest.mark.parametrize("given_", [{"x": X[:5]}, {"samples": 0}, {"mean": MEAN[:, :1]}])
def test_what_does_not_fit_is_refused(given_):
    with pytest.raises(ValueError, match=r"^[^\n]* must [^\n]*\.$"):
        estimate(**given_)


def test_the_likelihood_of_a_model_is_that_of_its_functions():
    options = {"observation": "gaussian", "variance": linear.VARIANCE}
    model = linear.model(broader=0.2, moved=0.05)
    found = model_log_likelihood(model, X, **options, samples=2000, batch_size=256)
    assert found.value == pytest.approx(TRUE.mean(), abs=2e-3)
    assert found.details["examples"] == len(X)
    # 300 is no multiple of the batch size: the padded rows must not count.
    exact = model_log_likelihood(linear.model(), X, **options, samples=2, batch_size=256)
    assert exact.value == pytest.approx(TRUE.mean(), abs=1e-4)


def test_the_elbo_is_below_by_the_divergence_of_the_posteriors():
    options = {"observation": "gaussian", "variance": linear.VARIANCE, "samples": 200}
    exact = model_elbo(linear.model(), X, **options)
    assert exact.value == pytest.approx(TRUE.mean(), abs=0.01)
    broader = model_elbo(linear.model(broader=0.5), X, **options)
    gap = linear.LATENT * 0.5 * (np.exp(0.5) - 1 - 0.5)
    assert broader.value == pytest.approx(TRUE.mean() - gap, abs=0.02)
    assert broader.value == pytest.approx(
        broader.details["log_likelihood"] - broader.details["kl"], abs=1e-4
    )


IMAGES = np.random.default_rng(0).random((9, 8, 6, 1), dtype=np.float32)


class Certain(nnx.Module):
    """An encoder with next to no noise, so that one sample is the mean."""

    def __init__(self, encoder):
        self.encoder = encoder

    def __call__(self, x):
        """Mean and log-variance."""
        mean, _ = self.encoder(x)
        return mean, jnp.full_like(mean, -18.0)


@pytest.mark.parametrize(("loss", "observation"), [("bce", "bernoulli"), ("mse", "gaussian")])
def test_the_elbo_is_the_negative_of_the_trainers_loss(loss, observation):
    model = by_config()
    model.encoder = Certain(model.encoder)
    model.eval()
    trainer = VAETrainer(VAETrainingConfig(kl_annealing="none"))
    expected, _ = trainer.compute_loss(
        model, {"image": jnp.asarray(IMAGES)}, jnp.asarray(0), loss_type=loss
    )
    constant = 0.5 * IMAGES[0].size * np.log(np.pi) if loss == "mse" else 0
    found = model_elbo(model, IMAGES, observation=observation)
    assert found.value == pytest.approx(-float(expected) - constant, rel=1e-4)


def test_a_model_is_as_it_was():
    model = by_config()
    before = state_of(model)
    counts = jax.tree.map(jnp.array, model.rngs.default.count[...])
    model_log_likelihood(model, IMAGES, samples=2)
    model_elbo(model, IMAGES)
    model_reconstruction_mse(model, IMAGES)
    assert model.rngs.default.count[...] == counts
    for path, value in state_of(model).items():
        np.testing.assert_array_equal(value, before[path])


@pytest.mark.parametrize("kind", [VAE, VQVAE])
def test_reconstructions_are_those_of_the_model(kind):
    model, x = by_parts(kind), IMAGES.reshape(9, 48)
    expected = np.mean((np.asarray(model.reconstruct(x, deterministic=True)) - x) ** 2)
    found = model_reconstruction_mse(model, x, batch_size=4)
    assert found.value == pytest.approx(float(expected), rel=1e-5)
    assert found.details == {"examples": 9}


def test_a_condition_is_given_to_encoder_and_decoder():
    model = by_config(ConditionalVAE, num_classes=3)
    y = np.arange(9) % 3
    expected = np.mean((np.asarray(model.reconstruct(IMAGES, y, deterministic=True)) - IMAGES) ** 2)
    data = {"image": IMAGES, "y": y}
    assert model_reconstruction_mse(model, data).value == pytest.approx(float(expected), rel=1e-5)
    with_y, without = (
        model_log_likelihood(model, given_, samples=8).value for given_ in (data, IMAGES)
    )
    assert with_y != without


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: model_elbo(by_config(VQVAE), IMAGES), "which a VQVAE has not"),
        (
            lambda: model_elbo(by_config(), IMAGES * 2),
            r"must lie in \[0, 1\].*or use loss_type 'mse",
        ),
        (lambda: model_elbo(by_config(), IMAGES * np.nan), "9 of 9 examples are not"),
        (lambda: model_elbo(linear.model(), np.zeros((3, 6))), "must give probabilities"),
        (lambda: model_elbo(by_config(), IMAGES, observation="beta"), "observation must be one of"),
        (lambda: model_elbo(by_config(), IMAGES, variance=0), "variance must be a positive number"),
        (lambda: model_elbo(by_config(), []), "at least one example"),
        (lambda: model_elbo(by_config(), 3), "the data must be an array"),
        (
            lambda: model_elbo(by_config(), [3]),
            "a batch must be an array|the data must be an array",
        ),
        (lambda: model_elbo(by_config(), {"pixels": IMAGES}), "must have its data under one of"),
        (lambda: model_elbo(len, IMAGES), "model must be an nnx.Module"),
        (lambda: likelihood("gaussian", np.inf), "variance must be a positive number"),
    ],
)
def test_models_and_data_that_do_not_fit(call, words):
    with pytest.raises((TypeError, ValueError), match=words) as error:
        call()
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)
