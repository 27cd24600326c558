"""Batches: one order of keys for losses, trainers and evaluation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifex_compat.data import Examples
from artifex_compat.evaluation import (
    evaluate_disentanglement,
    health_report,
    model_reconstruction_mse,
)
from artifex_compat.generative_models.models.vae.batch import Batch, BatchError, parse_batch
from artifex_compat.generative_models.training import VAETrainer
from tests.artifex_compat import train_make as make

DATA = ("image", "data", "x", "inputs", "input")
LABELS = ("y", "label", "labels", "condition")
FACTORS = ("factors", "labels", "label", "y")
X, Y = make.X, np.arange(50) % 3
CONDITIONAL = make.model("conditional")
PLAIN = make.model()

CALLS = {
    "loss_fn": lambda model, batch: model.loss_fn(batch=batch, rng=jax.random.key(0)),
    "compute_loss": lambda model, batch: VAETrainer().compute_loss(model, batch),
    "train": lambda model, batch: make.Trainer(model, make.optimizer(model)).train(batch, 1, 50),
    "train_step": lambda model, batch: make.Trainer(model, make.optimizer(model)).train_step(batch),
    "evaluate": lambda model, batch: make.Trainer(model, make.optimizer(model)).evaluate(batch, 50),
    "health_report": health_report,
    "reconstruction": model_reconstruction_mse,
}


@given(
    st.sets(st.sampled_from((*DATA, *LABELS, "factors", "index"))).filter(set(DATA).intersection)
)
def test_keys_are_read_in_one_order(keys):
    batch = {key: np.zeros(3) for key in sorted(keys)}
    found = parse_batch(batch)
    for part, order in ((found.x, DATA), (found.condition, LABELS), (found.factors, FACTORS)):
        wanted = [batch[key] for key in order if key in batch]
        assert part is (wanted[0] if wanted else None)


def test_a_batch_goes_through_compiled_functions():
    batch = jax.jit(lambda batch: parse_batch(batch, conditional=True))({"x": X, "y": Y})
    assert isinstance(batch, Batch)
    np.testing.assert_array_equal(batch.condition, Y)
    assert batch.factors is not None
    assert parse_batch(batch, y=1).condition == 1
    assert parse_batch(X).x is X
    assert parse_batch({"label": Y}, x=X).x is X


@pytest.mark.parametrize("key", LABELS)
@pytest.mark.parametrize("shape", [(50,), (50, 1)])
def test_evaluation_is_under_the_condition_of_training(key, shape):
    batch = {"image": X, key: Y.reshape(shape)}
    wanted = VAETrainer().compute_loss(CONDITIONAL, {"image": X, "y": np.eye(3)[Y]})[1]
    wanted = float(wanted["kl_loss"])
    terms = VAETrainer().compute_loss(CONDITIONAL, batch)[1]
    assert float(terms["kl_loss"]) == pytest.approx(wanted, rel=1e-6)
    assert health_report(CONDITIONAL, batch).kl.value == pytest.approx(wanted, rel=1e-5)
    blind = health_report(CONDITIONAL, X).kl.value
    assert blind != pytest.approx(wanted, rel=1e-3)


def test_examples_are_evaluated_as_their_batch():
    examples = Examples(X, Y[:, None].astype(np.int32))
    assert model_reconstruction_mse(CONDITIONAL, examples) == model_reconstruction_mse(
        CONDITIONAL, examples.as_batch()
    )
    make.Trainer(CONDITIONAL, make.optimizer(CONDITIONAL)).evaluate(examples.as_batch(), 25)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("key", ["target", "targets", "class", "labels_", "factors"])
def test_labels_under_an_unknown_key_are_refused(call, key):
    words = f"'y', 'label', 'labels', 'condition', not under '{key}': rename it to 'y'"
    with pytest.raises(BatchError, match=words):
        call(make.model("conditional"), {"image": X, key: Y})


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_other_keys_are_not_read(call):
    call(make.model("conditional"), {"image": X, "y": Y, "index": np.arange(50)})
    call(make.model(), {"image": X, "index": np.arange(50), "target": Y})


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_batch_without_data_is_refused(call):
    for error in (ValueError, KeyError):
        with pytest.raises(
            error, match=r"^Input 'x' is a dictionary, .* 'image', .*; it has 'img'"
        ):
            call(PLAIN, {"img": X})


def test_what_no_batch_can_be():
    with pytest.raises(TypeError, match=r"must be an array or a dictionary .*, not a list\."):
        parse_batch([1.0])


@pytest.mark.parametrize("key", ["y", "labels"])
def test_labels_out_of_range_or_as_text_are_refused_in_evaluation(key):
    batches = ({"image": X, key: Y + 1}, [{"image": jnp.asarray(X), key: jnp.asarray(Y + 1)}])
    for data in batches:
        with pytest.raises(ValueError, match="labels from 0 to 2, not 3; the nearest is 2"):
            health_report(CONDITIONAL, data)
    names = np.array(["cat", "dog", "owl"])[Y]
    with pytest.raises(TypeError, match=r"must be integers, not text .*return_inverse=True"):
        health_report(CONDITIONAL, {"image": X, key: names})
    health_report(PLAIN, {"image": X, key: names})
    with pytest.raises(TypeError, match=r"must be numbers, not text .*return_inverse=True"):
        evaluate_disentanglement(PLAIN, {"image": X, key: names}, verbose=False)


@pytest.mark.parametrize(
    "shown", [Y, Y[:, None], np.eye(3, dtype=np.float32)[Y], np.roll(np.sort(Y), 5)]
)
def test_a_factor_that_a_conditional_model_is_given_is_not_scored(shown):
    other = np.arange(50) // 25
    told = shown.ndim == 2 or np.array_equal(shown, Y)
    batch = {"image": X, "y": shown, "factors": np.stack([9 - Y, other], axis=1)}
    found = evaluate_disentanglement(CONDITIONAL, batch, metrics=["mig"], verbose=False)
    assert found["factors_of_condition"] == ((0,) if told else ())
    assert found["factors_left_out"] == ((0,) if told else ())
    (score,) = [score for score in found["scores"] if score["name"] == "mig"]
    assert len(score["details"]["per_factor"]) == (1 if told else 2)
    blind = evaluate_disentanglement(PLAIN, batch, metrics=["mig"], verbose=False)
    assert blind["factors_left_out"] == ()


def test_the_label_alone_leaves_nothing_to_score():
    found = evaluate_disentanglement(CONDITIONAL, {"image": X, "labels": Y}, verbose=False)
    assert "mig" not in found
    assert found["factors_of_condition"] == (0,)
    with pytest.raises(ValueError, match="other than by the condition, and none does"):
        evaluate_disentanglement(CONDITIONAL, {"x": X, "y": Y}, metrics=["mig"], verbose=False)


@pytest.mark.parametrize("data", [X.astype(str), X.astype(complex), X.astype(object)])
def test_data_that_are_no_numbers_are_refused_in_evaluation(data):
    for given_data in (data, [{"image": data}]):
        with pytest.raises(TypeError, match=r"the data must hold integers, .* not "):
            health_report(PLAIN, given_data)


def test_a_factor_that_is_not_finite_is_told_by_its_rows():
    factors = np.where(Y == 1, np.nan, Y)
    with pytest.raises(ValueError, match=r"factors must be finite, and 17 of 50 rows are not"):
        evaluate_disentanglement(PLAIN, {"image": X, "labels": factors}, verbose=False)
