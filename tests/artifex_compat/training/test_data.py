"""What is looked at once before training: data against loss and output, labels, generators."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    BetaVAEWithCapacity,
    CNNDecoder,
    CNNEncoder,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
)
from artifex_compat.generative_models.training import Trainer, VAETrainer
from artifex_compat.generative_models.training.batches import check_data
from artifex_compat.generative_models.training.callbacks import NonFiniteError
from edifice_py.checks import native
from tests.artifex_compat.train_make import X, arrays, model, optimizer, trainer

Y = np.arange(50) % 3
BITS = (X > 0.5).astype(np.float32)


def made(kind=VAE, output="sigmoid", **options):
    rngs = nnx.Rngs(0)
    encoder = MLPEncoder([5], 4, input_dim=6, rngs=rngs)
    decoder = MLPDecoder([5], 6, 4, output_activation=output, rngs=rngs)
    return kind(encoder, decoder, 4, rngs=rngs, **options)


def run_of(of, loss_type):
    own = type(of) in (BetaVAE, BetaVAEWithCapacity, VQVAE)
    options = {} if own else {"loss": VAETrainer(), "loss_type": loss_type}
    return Trainer(of, optimizer(of), **options)


def by_trainer(of, data, loss_type):
    run_of(of, loss_type).train(data, 1, 25)


def by_stream(of, data, loss_type):
    run_of(of, loss_type).train([data, data], 1)


def by_step(of, data, loss_type):
    run_of(of, loss_type).train_step(data)


def by_compiled_step(of, data, loss_type):
    VAETrainer(of, optimizer(of)).train_step(data, loss_type=loss_type)


WAYS = [by_trainer, by_stream, by_step, by_compiled_step]
OUT_OF_RANGE = {
    "[-1, 1]": (2 * X - 1, r"'bce', not from -0\.\S+ to 0\.\S+; rescale .* \(x \+ 1\) / 2"),
    "[0, 3]": (3 * X, r"'bce', not from \S+ to 2\.\S+; rescale .* 'mse' with .* 'linear'\.$"),
    "[0, 255]": (255 * X, "; divide pixels by 255, or use loss_type 'mse'"),
    "bytes": ((255 * X).astype(np.uint8), r"'bce', not from \d+ to 2\d\d; divide them by 255\.$"),
    "16 bits, the other way round": ((9999 * X).astype(">u2"), r"; divide them by 65535\.$"),
    "16 bits": ((9999 * X).astype(np.uint16), r"; divide them by 65535\.$"),
}


@pytest.mark.parametrize("train", WAYS)
@pytest.mark.parametrize("case", OUT_OF_RANGE)
def test_bce_is_of_data_from_0_to_1(train, case):
    data, words = OUT_OF_RANGE[case]
    for given in (data, {"image": data}, {"x": jnp.asarray(native(data))}):
        with pytest.raises(ValueError, match=rf"the data must lie in \[0, 1\] .*{words}"):
            train(made(), given, "bce")


@pytest.mark.parametrize("kind", [BetaVAE, BetaVAEWithCapacity, VQVAE])
@pytest.mark.parametrize("train", [by_trainer, by_stream, by_step])
def test_a_model_of_its_own_loss_is_checked_by_its_own_type(kind, train):
    options = {"num_embeddings": 4, "embedding_dim": 2} if kind is VQVAE else {}
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\] for loss_type 'bce'"):
        train(made(kind, reconstruction_loss_type="bce", **options), 3 * X, "mse")
    train(made(kind, "linear", **options), 3 * X, "mse")


@pytest.mark.parametrize("train", WAYS)
@pytest.mark.parametrize("output", ["linear", "tanh", "relu"])
def test_bce_of_an_output_that_is_no_probability(train, output):
    words = f"output_activation must be 'sigmoid' for loss_type 'bce', .* not '{output}'; or use"
    with pytest.raises(ValueError, match=words):
        train(made(output=output), BITS, "bce")
    with pytest.raises(ValueError, match=words):
        train(made(ConditionalVAE, output, num_classes=3), {"x": BITS, "y": Y}, "bce")


def test_bce_of_an_output_that_is_no_probability_in_plain_calls():
    linear = made(BetaVAE, "linear", reconstruction_loss_type="bce")
    with pytest.raises(ValueError, match="must be 'sigmoid' for loss_type 'bce'"):
        linear.loss_fn(x=BITS)
    with pytest.raises(ValueError, match="must be 'sigmoid' for loss_type 'bce'"):
        VAETrainer().compute_loss(linear, BITS, loss_type="bce")
    outputs = linear(BITS)
    outputs["reconstructed"] = nnx.sigmoid(outputs["reconstructed"])
    assert np.isfinite(linear.loss_fn(x=BITS, outputs=outputs)["loss"])


class WithSigmoid(VAE):
    """A user's model, which has its sigmoid elsewhere."""

    def decode(self, z, **options):
        """A sigmoid over the decoder."""
        return nnx.sigmoid(super().decode(z, **options))


@pytest.mark.parametrize("train", WAYS)
def test_a_model_of_the_user_may_have_its_sigmoid_elsewhere(train):
    train(made(WithSigmoid, "linear"), BITS, "bce")


@pytest.mark.parametrize("train", WAYS)
def test_bytes_are_refused_for_every_loss(train):
    words = r"the data must be floats, not uint8 from 0 to \d+; divide them by 255\.$"
    with pytest.raises(ValueError, match=words):
        train(made(output="linear"), np.arange(300).reshape(50, 6).astype(np.uint8), "mse")
    check_data(made(), "bce", BITS.astype(np.uint8))


OUT_OF_REACH = [("sigmoid", 3 * X - 1), ("tanh", 3 * X), ("relu", X - 1)]


@pytest.mark.parametrize("train", WAYS)
@pytest.mark.parametrize(("output", "data"), OUT_OF_REACH)
def test_data_that_an_output_cannot_reach(train, output, data):
    with pytest.warns(
        UserWarning, match=f"'{output}' reaches .* only, and the data lie from .* to"
    ):
        train(made(output=output), data, "mse")
    train(made(output="linear"), data / np.abs(data).max(), "mse")


@pytest.mark.parametrize("train", WAYS)
@pytest.mark.parametrize(("channels", "is_first"), [(3, True), (1, True), (2, False)])
def test_pictures_with_their_channels_first(train, channels, is_first):
    shape = (channels, 4, 4)
    rngs = nnx.Rngs(0)
    encoder = MLPEncoder([5], 4, input_dim=shape, rngs=rngs)
    of = VAE(encoder, MLPDecoder([5], shape, 4, rngs=rngs), 4, rngs=rngs)
    pictures = np.full((50, *shape), 0.5, np.float32)
    words = rf"\[n, {channels}, 4, 4\], .* of height {channels} .* numpy.moveaxis\(x, 1, -1\)"
    if is_first:
        with pytest.warns(UserWarning, match=words):
            train(of, pictures, "mse")
    else:
        train(of, pictures, "mse")


def test_a_check_reads_the_data_once_a_call(monkeypatch):
    calls = []
    of = trainer()
    original = np.fmin.reduce

    class Counted:
        reduce = staticmethod(lambda *given, **named: calls.append(1) or original(*given, **named))

    monkeypatch.setattr("artifex_compat.ranges.np.fmin", Counted)
    of.train(X, 5, 10)
    assert len(calls) == 1
    of.train([X, X, X], 5)
    assert len(calls) == 2


def test_the_data_of_a_loss_of_the_user_are_his_own():
    def loss(model, batch, rng):
        del rng
        return jnp.mean(model(batch["pixels"] / 255.0)["mean"] ** 2)

    of = model()
    Trainer(of, optimizer(of), loss).train({"pixels": 255 * X, "y": Y + 5}, 1, 25)


@pytest.mark.parametrize("train", WAYS)
@pytest.mark.parametrize("shape", [(50,), (50, 1)])
def test_labels_from_1_to_3_for_three_classes(train, shape):
    for key in ("y", "label"):
        batch = {"image": X, key: (Y + 1).reshape(shape)}
        with pytest.raises(ValueError, match="labels from 0 to 2, not 3; the nearest is 2"):
            train(model("conditional"), batch, "mse")
    train(model("conditional"), {"image": X, "y": Y.reshape(shape)}, "mse")


@pytest.mark.parametrize("train", WAYS)
@pytest.mark.parametrize("kind", ["vae", "conditional"])
def test_text_beside_the_data(train, kind):
    batch = {"image": X, "y": Y, "path": np.array(["a.png", "b.png"] * 25)}
    with pytest.raises(
        TypeError, match=r"'path' of the data must be numbers, not <U5: leave it out"
    ):
        train(model(kind), batch, "mse")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (X.astype(str), "the data must hold integers, .* not <U32"),
        (X.astype(object), "the data must hold integers, .* not object"),
        (X.astype(complex), "the data must hold integers, .* not complex128"),
        ({"image": X, "when": np.zeros(50, "datetime64[s]")}, "'when' of the data must be numbers"),
    ],
)
def test_data_that_are_no_numbers(data, words):
    for train in (by_trainer, by_stream):
        with pytest.raises(TypeError, match=words):
            train(made(), data, "mse")


class Logits(VAETrainer):
    """A user's trainer, whose "bce" is of logits."""

    def compute_reconstruction_loss(self, x, recon_x, loss_type="mse"):
        """Of a linear output."""
        del loss_type
        return jnp.mean(jnp.logaddexp(0.0, recon_x) - x * recon_x)


def test_the_loss_of_a_vae_trainer_as_a_function_is_checked_as_it_is():
    for step in (None, 3):
        of = made()
        loss = VAETrainer().create_loss_fn(step=step, loss_type="bce")
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\] for loss_type 'bce'"):
            Trainer(of, optimizer(of), loss).train(2 * X - 1, 1, 25)
    of = made(output="linear")
    Trainer(of, optimizer(of), Logits(), loss_type="bce").train(2 * BITS, 1, 25)
    of = made(output="linear")
    Trainer(of, optimizer(of), Logits().create_loss_fn(loss_type="bce")).train(2 * BITS, 1, 25)


def test_a_generator_can_be_gone_through_once():
    once = trainer()
    assert once.train((X for _ in range(3)), 1)[-1]["step"] == 3
    words = "a generator can be only once in all, and has no batch left: give a list of batches"
    with pytest.raises(ValueError, match=words):
        trainer().train((X for _ in range(3)), 2)
    with pytest.raises(ValueError, match=words):
        trainer().evaluate(X for _ in range(0))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_ranges_of_every_float(dtype):
    with pytest.raises(ValueError, match=r"\[0, 1\] for loss_type 'bce', not from 0 to 3"):
        by_trainer(made(), np.full((50, 6), 3).astype(jnp.dtype(dtype)) * (Y > 0)[:, None], "bce")


def test_a_number_that_is_not_finite_is_left_to_the_steps():
    of, data = made(), X.copy()
    data[3, 2] = np.nan
    with pytest.raises(NonFiniteError, match="step 0"):
        by_trainer(of, data, "bce")


def test_a_convolutional_decoder_is_known_too():
    rngs = nnx.Rngs(0)
    encoder = MLPEncoder([5], 4, input_dim=(8, 8, 1), rngs=rngs)
    decoder = CNNDecoder([2], (8, 8, 1), 4, output_activation="tanh", rngs=rngs)
    of = VAE(encoder, decoder, 4, rngs=rngs)
    with pytest.raises(ValueError, match="not 'tanh'"):
        by_trainer(of, np.zeros((50, 8, 8, 1), np.float32), "bce")


@pytest.mark.parametrize(
    "train",
    [
        lambda run: run.model(X[:1]),
        lambda run: run.train_step(X[:1]),
        lambda run: run.train(X[:49], 1, 16),  # a remainder of one
        lambda run: Trainer(
            run.model, run.optimizer, VAETrainer(), mode="step", drop_remainder=False
        ).train(X[:49], 1, 16),
        lambda run: run.train(X[:2], 1, 1),
        lambda run: VAETrainer().train_step(run.model, run.optimizer, X[:1]),
        lambda run: VAETrainer(run.model, run.optimizer).train_step(X[:1]),
    ],
)
def test_batch_normalisation_refuses_to_train_on_one_example(train):
    run = trainer("normalised", drop_remainder=False)
    before = arrays(run)
    with pytest.raises(ValueError, match="at least 2 examples for batch normalisation"):
        train(run)
    for name, value in arrays(run).items():
        if "rngs" not in name:
            np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_one_example_is_enough_with_pixels_and_in_inference():
    run = trainer("normalised")
    run.model.eval()
    assert run.model(X[:1])["reconstructed"].shape == (1, 6)
    run.model.train()
    assert run.model.reconstruct(X[:1]).shape == (1, 6)
    assert run.evaluate(X[:49], 16).keys() >= {"loss"}
    encoder = CNNEncoder([4], 2, input_dim=(8, 8, 1), use_batch_norm=True, rngs=nnx.Rngs(0))
    mean, _ = encoder(jnp.ones((1, 8, 8, 1)))
    assert mean.shape == (1, 2)
