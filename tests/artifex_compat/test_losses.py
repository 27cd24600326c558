"""`loss_fn` of every model: its call forms, its terms, its conventions, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    BetaVAEWithCapacity,
    ConditionalVAE,
)
from tests.artifex_compat.make import MODELS, by_parts, images

X = np.asarray(images(3, (48,)))
OUTPUTS = {
    "reconstructed": jnp.full((3, 48), 0.5),
    "mean": jnp.full((3, 4), 0.5),
    "log_var": jnp.zeros((3, 4)),
}
MSE = float(np.mean((X - 0.5) ** 2))
KL = 4 * 0.5 * 0.25
WITH_LOSSES = OUTPUTS | {"commitment_loss": jnp.array(0.2), "codebook_loss": jnp.array(0.3)}


def outputs_for(model):
    return WITH_LOSSES if model is VQVAE else OUTPUTS


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("key", ["inputs", "input", "x", "data", "image"])
def test_every_call_form_gives_the_same_terms(model, key):
    made, outputs = by_parts(model), outputs_for(model)
    terms = made.loss_fn(x=X, outputs=outputs)
    by_position = () if model is VQVAE else (None, None, None)  # params, batch, rng
    forms = [
        made.loss_fn(batch={key: X}, outputs=outputs),
        made.loss_fn(x={key: X}, outputs=outputs),
        made.loss_fn(batch=X, model_outputs=outputs),
        made.loss_fn(*by_position, X, outputs),
        made.loss_fn({key: X}, outputs),
        made.loss_fn(X, outputs),
        made.loss_fn({key: X}, model_outputs=outputs),
        made.loss_fn(X, outputs=outputs),
    ]
    for form in forms:
        assert form.keys() == terms.keys()
        assert jax.tree.all(jax.tree.map(lambda a, b: bool(jnp.all(a == b)), form, terms))


@pytest.mark.parametrize("model", MODELS)
def test_the_released_form_in_a_subclass_with_its_own_outputs_and_options(model):
    class Released(model):
        """A loss as written for Artifex 0.1.3."""

        def loss_fn(self, batch, model_outputs, **kwargs):
            """The terms, and one more."""
            return {**super().loss_fn(batch, model_outputs, **kwargs), "more": 1.0}

    made, outputs = by_parts(Released), by_parts(model)(X, rngs=nnx.Rngs(0))
    terms = made.loss_fn({"image": X, "y": jnp.arange(3)}, outputs, step=2)
    assert terms.pop("more") == 1
    wanted = by_parts(model).loss_fn(x=X, outputs=outputs, step=2)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), terms, wanted)
    if model is not VQVAE:
        both = outputs["reconstructed"], outputs["mean"], outputs["log_var"]
        assert made.loss_fn(X, both, step=2)["loss"] == wanted["loss"]


@pytest.mark.parametrize("model", MODELS)
def test_outputs_by_position_are_read_or_refused(model):
    made = by_parts(model)
    with pytest.raises(KeyError, match="reconstructed"):
        made.loss_fn({"image": X}, {"mean": X, "log_var": X, "commitment_loss": 0.0})
    with pytest.raises(TypeError, match="outputs must be given once"):
        made.loss_fn({"image": X}, OUTPUTS, model_outputs=OUTPUTS)


@pytest.mark.parametrize("model", MODELS)
def test_the_model_runs_where_no_outputs_are_given(model):
    had = by_parts(model).loss_fn(batch={"data": X}, rng=jax.random.key(3))
    twin = by_parts(model)
    wanted = twin.loss_fn(x=X, outputs=twin(X, rngs=nnx.Rngs(jax.random.key(3))))
    np.testing.assert_array_equal(had["loss"], wanted["loss"])


def test_labels_of_a_batch_reach_a_conditional_model():
    model, labels = by_parts(ConditionalVAE), jnp.array([3, 1, 2])
    of_batch = model.loss_fn(batch={"image": X, "label": labels}, rng=jax.random.key(0))
    given = model.loss_fn(x=X, y=labels, rng=jax.random.key(0))
    without = model.loss_fn(x=X, rng=jax.random.key(0))
    np.testing.assert_array_equal(of_batch["loss"], given["loss"])
    assert given["kl_loss"] != without["kl_loss"]


@pytest.mark.parametrize("model", [VAE, BetaVAE, ConditionalVAE, BetaVAEWithCapacity])
def test_the_loss_is_a_mean_square_and_beta_times_the_kl(model):
    terms = by_parts(model).loss_fn(x=X, outputs=OUTPUTS, beta=3.0)
    np.testing.assert_allclose(terms["reconstruction_loss"], MSE, rtol=1e-6)
    np.testing.assert_allclose(terms["kl_loss"], KL, rtol=1e-6)
    np.testing.assert_allclose(terms["total_loss"], MSE + 3 * KL, rtol=1e-6)
    assert terms["recon_loss"] is terms["reconstruction_loss"]
    assert terms["loss"] is terms["total_loss"]


def test_kl_weight_counts_where_no_beta_is_given():
    terms = by_parts(VAE, kl_weight=0.25).loss_fn(x=X, outputs=OUTPUTS)
    np.testing.assert_allclose(terms["loss"], MSE + 0.25 * KL, rtol=1e-6)


@pytest.mark.parametrize(("step", "beta"), [(0, 0.0), (5, 2.0), (10, 4.0), (99, 4.0)])
def test_beta_warms_up_with_the_step(step, beta):
    model = by_parts(BetaVAE, beta_default=4.0, beta_warmup_steps=10)
    for given in (step, jnp.array(step)):
        terms = model.loss_fn(x=X, outputs=OUTPUTS, step=given)
        np.testing.assert_allclose(terms["beta"], beta)
        np.testing.assert_allclose(terms["loss"], MSE + beta * KL, rtol=1e-6)


def test_bce_sums_features_and_keeps_1e_8_from_the_logarithms():
    model = by_parts(BetaVAE, reconstruction_loss_type="bce")
    terms = model.loss_fn(x=X, outputs=OUTPUTS)
    np.testing.assert_allclose(terms["reconstruction_loss"], 48 * np.log(2), rtol=1e-6)
    black = OUTPUTS | {"reconstructed": jnp.zeros((3, 48))}
    worst = model.loss_fn(x=np.ones_like(X), outputs=black)["reconstruction_loss"]
    np.testing.assert_allclose(worst, -48 * np.log(1e-8), rtol=1e-6)


@pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (50, 2.5), (100, 5.0), (500, 5.0)])
def test_capacity_control(step, capacity):
    model = by_parts(
        BetaVAEWithCapacity,
        use_capacity_control=True,
        capacity_max=5.0,
        capacity_num_iter=100,
        gamma=10.0,
        beta_default=7.0,
    )
    terms = model.loss_fn(x=X, outputs=OUTPUTS, step=step)
    np.testing.assert_allclose(terms["current_capacity"], capacity, rtol=1e-6)
    np.testing.assert_allclose(terms["kl_capacity_diff"], KL - capacity, rtol=1e-6)
    np.testing.assert_allclose(terms["capacity_loss"], 10 * abs(KL - capacity), rtol=1e-6)
    np.testing.assert_allclose(terms["loss"], MSE + 10 * abs(KL - capacity), rtol=1e-6)
    assert "beta" not in terms


def test_vq_terms_weigh_the_commitment():
    terms = by_parts(VQVAE, commitment_cost=0.5).loss_fn(x=X, outputs=WITH_LOSSES)
    np.testing.assert_allclose(terms["vq_loss"], 0.3 + 0.5 * 0.2, rtol=1e-6)
    np.testing.assert_allclose(terms["loss"], MSE + 0.3 + 0.5 * 0.2, rtol=1e-6)
    by_average = by_parts(VQVAE, use_ema=True).loss_fn(x=X, outputs=WITH_LOSSES)
    np.testing.assert_allclose(by_average["loss"], MSE + 0.25 * 0.2, rtol=1e-6)
    np.testing.assert_allclose(by_average["codebook_loss"], 0.3)


@pytest.mark.parametrize("model", MODELS)
def test_a_reconstruction_loss_of_the_user_counts_on_every_model(model):
    seen = []

    def custom(reconstructed, target):
        seen.append((reconstructed, target))
        return jnp.array(100.0)

    outputs = outputs_for(model)
    terms = by_parts(model).loss_fn(x=X, outputs=outputs, reconstruction_loss_fn=custom)
    assert terms["reconstruction_loss"] == 100
    assert seen[0][0] is outputs["reconstructed"]
    np.testing.assert_array_equal(seen[0][1], X)  # a copy: its owner may fill it anew


@pytest.mark.parametrize("model", MODELS)
def test_every_loss_compiles_and_has_gradients_for_all_but_what_is_unused(model):
    made = by_parts(model)

    @nnx.jit
    def gradients(model, x, step):
        return nnx.grad(lambda model: model.loss_fn(x=x, step=step)["loss"])(model)

    for path, gradient in nnx.to_flat_state(gradients(made, X, jnp.array(3))):
        unused = model is VQVAE and "logvar_proj" in path
        unused = unused or (model is VQVAE and path[-1] == "usage")
        assert bool(jnp.any(gradient[...] != 0)) != unused, path


def test_aliases_and_tuples_of_outputs_are_read():
    alias = {"reconstruction": OUTPUTS["reconstructed"], "logvar": OUTPUTS["log_var"]}
    model = by_parts(VAE)
    wanted = model.loss_fn(x=X, outputs=OUTPUTS)["loss"]
    assert model.loss_fn(x=X, outputs=alias | {"mean": OUTPUTS["mean"]})["loss"] == wanted
    assert model.loss_fn(x=X, outputs=tuple(OUTPUTS.values()))["loss"] == wanted


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({}, ValueError, "loss_fn needs the data"),
        ({"x": {"img": X}}, ValueError, "^Input 'x' is a dictionary"),
        ({"batch": {"label": X}}, ValueError, "^Input 'x' is a dictionary"),
        ({"x": X, "outputs": {}}, KeyError, "reconstructed"),
        ({"x": X, "outputs": {"reconstructed": X}}, KeyError, "mean"),
        ({"x": X, "outputs": {**OUTPUTS, "log_var": X}}, ValueError, "log_var"),
        ({"x": X, "outputs": {"reconstructed": X, "mean": X}}, KeyError, "log_var"),
        ({"x": X[:, :5], "outputs": OUTPUTS}, ValueError, r"x .*\[3, 5\]|\[3, 5\]"),
        ({"x": X, "outputs": 3}, TypeError, "outputs must be a dictionary or a tuple"),
    ],
)
def test_what_a_loss_refuses(given, error, words):
    with pytest.raises(error, match=words):
        by_parts(VAE).loss_fn(**given)


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_argument_of_a_method_is_refused_with_the_nearest(model):
    made = by_parts(model)
    for call, words in [
        (lambda: made.loss_fn(x=X, outputs=OUTPUTS, stepp=2), r"mean 'step'\?$"),
        (lambda: made.loss_fn(x=X, outputs=OUTPUTS, model_output=2), "mean 'model_outputs'"),
        (lambda: made.sample(2, tempreature=0.1), "mean 'temperature'"),
        (lambda: made.generate(2, tempreature=0.1), "mean 'temperature'"),
        (lambda: made.reconstruct(X, determinstic=True), "mean 'deterministic'"),
        (lambda: made.interpolate(X, X, step=3), "mean 'steps'"),
        (lambda: made.latent_traversal(X, 0, range=(0, 1)), "mean 'range_vals'"),
    ]:
        with pytest.raises(TypeError, match=f"has no option .*{words}"):
            call()


def test_a_beta_that_a_loss_does_not_weigh_by_is_refused():
    with pytest.raises(TypeError, match=r"VQVAE\.loss_fn has no option 'beta'"):
        by_parts(VQVAE).loss_fn(x=X, outputs=WITH_LOSSES, beta=2.0)


def test_a_capacity_stands_in_place_of_beta():
    model = by_parts(BetaVAEWithCapacity, use_capacity_control=True)
    terms = [model.loss_fn(x=X, outputs=OUTPUTS, beta=beta)["loss"] for beta in (None, 2.0)]
    np.testing.assert_array_equal(*terms)


@pytest.mark.parametrize("model", [VAE, BetaVAE, BetaVAEWithCapacity, ConditionalVAE])
def test_a_weight_is_not_negative(model):
    for beta in (-1.0, jnp.float32(-1), float("nan")):
        with pytest.raises(ValueError, match="beta must be a non-negative number, not"):
            by_parts(model).loss_fn(x=X, outputs=OUTPUTS, beta=beta)
