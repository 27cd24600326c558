"""`VAETrainer`: its schedules, its terms, both constructors and both forms of a step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.training.trainers import VAETrainer, VAETrainingConfig
from edifice_py.core import gaussian
from tests.artifex_compat.train_make import LABELED, X, model, optimizer

MEAN = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
LOG_VAR = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
KL = np.asarray(gaussian.kl_per_dimension(MEAN, LOG_VAR))


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        ("none", {0: 2, 7: 2}),
        ("linear", {0: 0, 5: 1, 10: 2, 99: 2}),
        ("sigmoid", {5: 1, 10: 2 / (1 + np.exp(-5)), 0: 2 / (1 + np.exp(5))}),
        ("cyclical", {0: 0, 2: 1, 4: 2, 7: 2, 8: 0, 10: 1}),
    ],
)
def test_the_weight_of_the_kl(kind, weights):
    config = VAETrainingConfig(kind, kl_warmup_steps=10, beta=2.0, cyclical_period=8)
    trainer = VAETrainer(config)
    for step, weight in weights.items():
        for form in (step, jnp.array(step)):
            np.testing.assert_allclose(trainer.get_kl_weight(form), weight, rtol=1e-6)
    compiled = jax.jit(trainer.get_kl_weight)(jnp.array(list(weights)))
    np.testing.assert_allclose(compiled, list(weights.values()), rtol=1e-6)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kl_annealing": "cosine"}, "kl_annealing must be one of cyclical, linear, none, sigmoid"),
        ({"kl_annealing": "linar"}, "did you mean 'linear'"),
        ({"kl_warmup_steps": -1}, "kl_warmup_steps must be a non-negative integer"),
        ({"beta": -1.0}, "beta must be a non-negative number"),
        ({"free_bits": float("nan")}, "free_bits must be a non-negative number"),
        ({"cyclical_period": 0}, "cyclical_period must be a positive integer, not 0"),
    ],
)
def test_a_config_is_checked_when_made(fields, words):
    with pytest.raises(ValueError, match=words):
        VAETrainingConfig(**fields)


def test_free_bits_floor_each_dimension_of_each_sample():
    trainer = VAETrainer(VAETrainingConfig(free_bits=0.5))
    np.testing.assert_array_equal(trainer.apply_free_bits(jnp.asarray(KL)), np.maximum(KL, 0.5))
    total, per_sample = trainer.compute_kl_loss(MEAN, LOG_VAR)
    np.testing.assert_allclose(per_sample, np.maximum(KL, 0.5).sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(total, np.mean(per_sample), rtol=1e-6)


def test_kl_without_free_bits_counts_all_latents_of_a_grid():
    trainer = VAETrainer()
    grid = MEAN.reshape(3, 2, 2), LOG_VAR.reshape(3, 2, 2)
    for mean, log_var in ((MEAN, LOG_VAR), grid):
        total, per_sample = trainer.compute_kl_loss(mean, log_var)
        np.testing.assert_allclose(per_sample, KL.sum(axis=1), rtol=1e-6)
        np.testing.assert_allclose(total, KL.sum(axis=1).mean(), rtol=1e-6)


def test_reconstruction_errors_sum_features():
    trainer = VAETrainer()
    x, r = np.float32([[0, 1], [1, 0]]), np.float32([[0.5, 0.5], [0.75, 0.5]])
    for kind, wanted in {
        "mse": (0.5 + 0.0625 + 0.25) / 2,
        "mae": (1 + 0.75) / 2,
        "bce": (3 * np.log(2) - np.log(0.75)) / 2,
    }.items():
        found = trainer.compute_reconstruction_loss(x, r, kind)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    with pytest.raises(ValueError, match="loss_type must be one of bce, mae, mse, not 'l2'"):
        trainer.compute_reconstruction_loss(x, r, "l2")
    with pytest.raises(ValueError, match="x and recon_x must have the same shape"):
        trainer.compute_reconstruction_loss(x, r[:1])


class Outputs(nnx.Module):
    """A model that gives what it was told to."""

    def __init__(self, form):
        self.form = form

    def __call__(self, x):
        """The same for all data."""
        r, mean, log_var = jnp.full(x.shape, 0.5), jnp.ones((len(x), 4)), jnp.zeros((len(x), 4))
        names = {"dictionary": ("reconstructed", "mean", "log_var")}
        names["aliases"] = ("reconstruction", "mean", "logvar")
        outputs = (r, mean, log_var)
        return (
            outputs if self.form == "tuple" else dict(zip(names[self.form], outputs, strict=True))
        )


@pytest.mark.parametrize("form", ["tuple", "dictionary", "aliases"])
@pytest.mark.parametrize("key", ["image", "data"])
def test_models_give_tuples_or_dictionaries(form, key):
    trainer = VAETrainer(VAETrainingConfig(kl_warmup_steps=10, beta=4.0))
    loss, metrics = trainer.compute_loss(Outputs(form), {key: X}, 5)
    error = np.mean(np.sum((X - 0.5) ** 2, axis=1))
    np.testing.assert_allclose(metrics["recon_loss"], error, rtol=1e-6)
    np.testing.assert_allclose(metrics["kl_loss"], 2.0, rtol=1e-6)
    np.testing.assert_allclose(metrics["kl_weight"], 2.0, rtol=1e-6)
    np.testing.assert_allclose(loss, error + 2.0 * 2.0, rtol=1e-6)
    assert {"loss", "total_loss", "reconstruction_loss"} <= metrics.keys()


def steps_of(form, count=4):
    """Losses of some steps, and what the model is in the end."""
    made = model()
    opt, config = optimizer(made), VAETrainingConfig(kl_warmup_steps=3)
    if form == "bound":
        bound = VAETrainer(made, opt, config)
        losses = [bound.train_step({"data": X}, step=i)[0] for i in range(count)]
    else:
        free = VAETrainer(config)
        step = nnx.jit(free.train_step) if form == "jit" else free.train_step
        losses = [step(made, opt, {"data": X}, step=i)[0] for i in range(count)]
    return np.array(losses), made


def test_both_forms_of_a_step_eager_and_compiled_are_the_same():
    losses, made = steps_of("eager")
    for form in ("jit", "bound"):
        had, other = steps_of(form)
        np.testing.assert_allclose(had, losses, rtol=1e-6)
        for a, b in zip(
            jax.tree.leaves(nnx.state(other, nnx.Param)),
            jax.tree.leaves(nnx.state(made, nnx.Param)),
            strict=True,
        ):
            np.testing.assert_allclose(a, b, atol=1e-6)
    assert losses[-1] != losses[0]


def test_a_bound_step_compiles_once_and_keeps_what_others_hold():
    made = model()
    kernel = made.encoder.mean_proj.kernel[...]
    before = np.asarray(kernel)
    trainer = VAETrainer(made, optimizer(made))
    trainer.train_step({"data": X}, step=0)
    for step in (1, 2, np.int64(3)):
        trainer.train_step({"data": X}, step=step)
    assert trainer._steps[None].compilations == 1
    np.testing.assert_array_equal(kernel, before)
    assert not np.array_equal(made.encoder.mean_proj.kernel[...], before)


def test_labels_of_a_batch_reach_a_conditional_model():
    trainer = VAETrainer()
    with_labels, _ = trainer.compute_loss(model("conditional"), LABELED, 5)
    without, _ = trainer.compute_loss(model("conditional"), {"image": X}, 5)
    assert with_labels != without


def test_create_loss_fn_with_and_without_a_step():
    trainer = VAETrainer(VAETrainingConfig(kl_warmup_steps=10))
    at_five = trainer.create_loss_fn(step=5)(model(), {"data": X}, None)
    given = trainer.create_loss_fn()(model(), {"data": X}, None, 5)
    direct = trainer.compute_loss(model(), {"data": X}, 5)
    assert at_five[0] == given[0] == direct[0]
    bce = trainer.create_loss_fn(5, "bce")(model(), {"data": X}, None)
    assert bce[0] != direct[0]
    released = trainer.create_loss_fn("bce")(model(), {"data": X}, None, 5)
    assert released[0] == bce[0]


def bound():
    made = model()
    return VAETrainer(made, optimizer(made))


def test_the_loss_type_of_a_vq_vae_is_its_own_and_no_other():
    made = model("vq")
    made.reconstruction_loss_type = "bce"
    bits = {"data": (X > 0.5).astype(np.float32)}
    own, _ = VAETrainer().compute_loss(made, bits)
    assert own == VAETrainer().compute_loss(made, bits, loss_type="bce")[0]
    with pytest.raises(ValueError, match="must be that of the VQ-VAE, 'bce', not 'mse'"):
        VAETrainer().compute_loss(made, bits, loss_type="mse")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: VAETrainer(model()), TypeError, "model and optimizer go together"),
        (lambda: VAETrainer(3), TypeError, "model must be an nnx.Module"),
        (lambda: VAETrainer(None, None, {"beta": 1}), TypeError, "config must be a VAETr"),
        (lambda: VAETrainer().train_step({"data": X}), TypeError, "train_step needs model"),
        (lambda: VAETrainer().compute_loss(model(), {"foo": X}), KeyError, "'image', 'data'"),
        (
            lambda: VAETrainer().compute_loss(model("vq"), {"data": X}, loss_type="mae"),
            ValueError,
            "loss_type must be that of the VQ-VAE, 'mse', not 'mae'",
        ),
        (lambda: VAETrainer().create_loss_fn("bcee"), ValueError, "did you mean 'bce'"),
        (lambda: VAETrainer().create_loss_fn("bce", "mse"), TypeError, "not 'bce': loss_type is"),
        (lambda: VAETrainer().create_loss_fn(losstype="bce"), TypeError, "mean 'loss_type'"),
        (lambda: VAETrainingConfig(kl_warmup=3), TypeError, "did you mean 'kl_warmup_steps'"),
        (lambda: bound().train_step(model(), batch=X), TypeError, "batch must be given alone"),
        (lambda: bound().train_step(X, batch=X), TypeError, "batch must be given alone"),
        (lambda: bound().train_step(X, los_type="bce"), TypeError, "did you mean 'loss_type'"),
    ],
)
def test_what_a_trainer_refuses(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_vq_vae_has_its_own_loss():
    made, same = model("vq"), model("vq")
    loss, terms = VAETrainer().compute_loss(made, {"data": X})
    own = same.loss_fn(x=X, outputs=same(X))
    assert loss == own["loss"] == own["reconstruction_loss"] + own["vq_loss"]
    assert terms.keys() == own.keys()
    step = VAETrainer(made, optimizer(made)).train_step
    losses = [float(step(X, step=index)[0]) for index in range(30)]
    assert losses[-1] < 0.9 * losses[0]


def test_a_compiled_step_is_not_compiled_again():
    made = model()
    step = VAETrainer(made, optimizer(made)).train_step
    with pytest.raises(TypeError, match="is compiled already: call it as it is"):
        nnx.jit(lambda x: step({"data": x}, step=0))(X)
    with pytest.raises(TypeError, match=r"step must be given by name"):
        step({"data": X}, 5)
