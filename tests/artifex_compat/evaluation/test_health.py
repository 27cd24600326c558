"""The health report names what is wrong, and says what to do about it."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.data import Examples
from artifex_compat.evaluation import health_report
from artifex_compat.generative_models.models.vae import VAE, VQVAE, ConditionalVAE
from edifice_py.core import quantize
from tests.artifex_compat.make import by_config, images, state_of

X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)


class Encoder(nnx.Module):
    """Copies the data to the first latents and leaves the others at the prior."""

    def __init__(self, used, scale=1.0):
        self.used, self.scale = used, scale

    def __call__(self, x):
        """Mean and log-variance."""
        told = (jnp.arange(4) < self.used).astype(x.dtype)[None]
        return x * told * self.scale, jnp.broadcast_to(-3 * told, x.shape)


def model(used, scale=1.0):
    return VAE(encoder=Encoder(used, scale), decoder=lambda z: z, latent_dim=4, rngs=nnx.Rngs(0))


def test_a_model_that_uses_all_of_its_latents_is_well():
    report = health_report(model(4), X)
    assert report.findings == ()
    assert report.active_units.value == 4
    assert report.collapsed == ()
    assert report.codebook is None
    expected = 0.5 * (np.mean(X**2, axis=0) + np.exp(-3) - 1 + 3)
    assert report.kl.details["per_dimension"] == pytest.approx(expected.tolist(), rel=1e-5)
    assert report.kl.value == pytest.approx(expected.sum(), rel=1e-5)
    assert report.examples == 300


def test_spare_dimensions_are_named():
    report = health_report(model(2), X)
    assert report.collapsed == (2, 3)
    (finding,) = report.findings
    assert finding.name == "partial posterior collapse"
    assert finding.evidence.startswith("2 of 4 dimensions are at the prior")


@pytest.mark.parametrize("dead", [model(0), model(4, scale=0.01)])
def test_posterior_collapse_is_named_with_the_documented_advice(dead):
    report = health_report(dead, X)
    (finding,) = report.findings
    assert finding.name == "posterior collapse"
    assert "0 of 4 are active" in finding.evidence
    words = " ".join(finding.advice)
    for documented in ("beta", "kl_annealing", "cyclical", "free_bits", "use_capacity_control"):
        assert documented in words


def codebook_model(codes):
    made = by_config(VQVAE, num_embeddings=codes)
    made.eval()
    return made


def test_perplexity_and_dead_codes_are_of_the_whole_set():
    made, x = codebook_model(6), images(40)
    report = health_report(made, x, batch_size=7)
    indices = made(x)["encoding_indices"]
    counts = np.bincount(indices, minlength=6)
    assert report.codebook.details["counts"] == tuple(counts)
    assert report.codebook.details["dead_share"] == np.mean(counts == 0)
    expected = quantize.perplexity(jnp.asarray(counts, jnp.float32))
    assert report.codebook.value == pytest.approx(float(expected))
    assert report.kl is None


@pytest.mark.parametrize(
    ("codes", "name"), [(200, "codebook collapse"), (8, "low codebook usage"), (4, None)]
)
def test_the_state_of_a_codebook_is_named(codes, name):
    made = codebook_model(codes)
    width = made.embedding_dim
    # Two codes where the encoder's vectors are, all others far away: a perplexity of 2 at most.
    far = 1e3 + np.arange(codes * width).reshape(codes, width)
    vectors = np.asarray(made.encode(images(1))[0]).reshape(-1, width)
    far[:2] = vectors[:2]
    made.embeddings.embedding[...] = jnp.asarray(far, jnp.float32)
    report = health_report(made, images(30))
    assert 1 < report.codebook.value <= 2.001
    names = [finding.name for finding in report.findings]
    assert [known for known in names if "codebook" in known] == ([name] if name else [])
    if name:
        words = " ".join(report.findings[0].advice)
        for documented in ("commitment", "use_ema", "dead_code_threshold", "learning rate"):
            assert documented in words


def test_a_report_can_be_read_and_written():
    for made, x in ((model(2), X), (model(0), X), (codebook_model(200), images(5))):
        report = health_report(made, x)
        written = json.loads(json.dumps(report.as_dict(), allow_nan=False))
        assert written["examples"] == len(x)
        text = str(report)
        for finding in report.findings:
            assert finding.name in text
            assert all(line in text for line in finding.advice)


def test_every_form_of_data_gives_the_same():
    expected = health_report(model(2), X)
    forms = (
        {"data": X},
        {"image": jnp.asarray(X), "labels": np.zeros(300)},
        Examples(X),
        [X[:100], X[:0], {"x": X[100:250]}, X[250:]],
    )
    for data in forms:
        assert health_report(model(2), data).kl.value == pytest.approx(expected.kl.value, rel=1e-6)


def test_any_module_that_is_called_as_a_vae_has_a_report_and_is_left_as_it_is():
    class Tuples(nnx.Module):
        """A user's own model, which gives a tuple and counts its calls."""

        def __init__(self):
            self.inner = by_config()  # its encoder normalizes batches
            self.calls = nnx.Variable(jnp.zeros(()))

        def __call__(self, x):
            self.calls[...] += 1
            found = self.inner(x)
            return found["reconstructed"], found["mean"], found["log_var"]

    user, x = Tuples(), images(7)
    user.train()
    before = state_of(user)
    expected = user.inner.encode(x)[0].var(axis=0)
    found = health_report(user, x).active_units.details["variances"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for path, value in state_of(user).items():
        np.testing.assert_array_equal(value, before[path])


def grey(**options):
    """A model whose reconstructions are alike, though its latents are active."""
    encoder = Encoder(4)
    decoder = options.pop("decoder", lambda z: jnp.full_like(z, 0.25))
    return VAE(encoder=encoder, decoder=decoder, latent_dim=4, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("data", [X + 0.25, [X[:100], X[100:] + 0.5]])
def test_grey_reconstructions_are_compared_with_the_mean_example(data):
    report = health_report(grey(), data)
    (finding,) = report.findings
    assert finding.name == "no better than the mean"
    whole = np.concatenate(data) if isinstance(data, list) else data
    details = report.reconstruction.details
    assert details["of_mean"] == pytest.approx(whole.var(axis=0).mean(), rel=1e-5)
    assert report.reconstruction.value == pytest.approx(np.mean((whole - 0.25) ** 2), rel=1e-5)
    assert report.reconstruction.value >= details["of_mean"]
    assert "no better than the mean" in str(report)


def test_reconstructions_that_are_right_are_no_finding():
    report = health_report(grey(decoder=lambda z: z), X)
    assert report.findings == ()
    assert report.reconstruction.value < 1e-9
    assert health_report(grey(), np.full((9, 4), 0.25, np.float32)).reconstruction.value == 0


@pytest.mark.parametrize("kind", [VAE, VQVAE])
def test_a_sigmoid_that_cannot_reach_the_data_is_named(kind):
    made = by_config(kind)
    named = {f.name: f for f in health_report(made, 3 * images(20) - 1).findings}
    found = named["data out of reach"]
    assert (
        "output_activation 'sigmoid' reaches [0, 1] only, and the data lie from" in found.evidence
    )
    assert any("'linear'" in words for words in found.advice)
    names = [f.name for f in health_report(made, images(20)).findings]
    assert "data out of reach" not in names


def test_a_warm_up_that_outlasts_the_run_is_named():
    report = health_report(model(4), X, steps=500, warmup_steps=10_000)
    (finding,) = report.findings
    assert finding.name == "warm-up not finished"
    assert "step 500 of a warm-up of 10,000" in finding.evidence
    for steps in (None, 10_000):
        assert health_report(model(4), X, steps=steps, warmup_steps=10_000).findings == ()


def test_a_conditional_model_is_compared_under_its_condition():
    made, labels = by_config(ConditionalVAE, num_classes=3), np.arange(20) % 3
    x = np.asarray(images(20))
    report = health_report(made, {"image": x, "label": labels}, batch_size=7)
    mean, _ = made.encode(x, labels)
    wanted = np.mean((np.asarray(made.decode(mean, labels)) - x) ** 2)
    assert report.reconstruction.value == pytest.approx(wanted, rel=1e-4)
