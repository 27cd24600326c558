"""`Trainer`: epochs and steps give the same numbers, events come in order, errors are sentences."""

import grain
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from artifex_compat.generative_models.training import Trainer, VAETrainer
from artifex_compat.generative_models.training.callbacks import (
    CheckpointConfig,
    NonFiniteError,
    NonFiniteGuard,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointStore
from tests.artifex_compat.train_make import (
    KINDS,
    LABELED,
    BatchRecorder,
    Recorder,
    StopAt,
    X,
    arrays,
    assert_same,
    model,
    optimizer,
    trainer,
)

F32 = np.dtype("float32")
X_ON_DEVICE = jnp.asarray(X)


@pytest.mark.parametrize(
    ("kind", "drop_remainder"), list(zip(KINDS, [True, False, True, False], strict=True))
)
def test_epochs_and_steps_give_the_same_bits(kind, drop_remainder):
    runs = [trainer(kind, mode=mode, drop_remainder=drop_remainder) for mode in ("epoch", "step")]
    for run in runs:
        run.train(LABELED, 2, 16, val_data={name: value[:20] for name, value in LABELED.items()})
    assert_same(*runs)
    assert runs[0].step == (6 if drop_remainder else 8)


def test_an_epoch_is_the_steps_of_a_hand_written_loop():
    by_trainer = trainer()
    by_trainer.train(X[:48], 1, 16, shuffle=False)
    by_hand = trainer()
    losses = [by_hand.train_step(X[i : i + 16])["loss"] for i in (0, 16, 32)]
    np.testing.assert_allclose(by_trainer.history[0]["loss"], np.mean(losses), rtol=1e-6)
    for name, value in arrays(by_hand).items():
        np.testing.assert_allclose(value, arrays(by_trainer)[name], rtol=1e-5, atol=1e-7)


def test_arrays_and_an_iterable_of_their_batches_give_the_same():
    memory, stream = trainer(), trainer()
    memory.train(X[:48], 2, 16, shuffle=False, val_data=X[:20])
    stream.train([X[:16], X[16:32], X[32:48]], 2, val_data=[X[:16], X[16:20]])
    for a, b in zip(memory.history, stream.history, strict=True):
        assert a == pytest.approx(b, rel=1e-6)


def test_batches_of_grain():
    rows = [dict(zip(LABELED, row, strict=True)) for row in zip(*LABELED.values(), strict=True)]
    batched = grain.MapDataset.source(rows).batch(10)
    ours = trainer("conditional").train(LABELED, 2, 10, shuffle=False)
    assert trainer("conditional").train(batched, 2) == ours
    assert trainer("conditional").train(batched.to_iter_dataset(), 2) == ours


def test_every_epoch_has_an_order_of_its_own_that_the_seed_names():
    def first_rows(seed, epoch):
        made = trainer(seed=seed)
        source = made._source(X, 16, made.seed, drop_remainder=True)
        return source.rows(epoch)[0].ravel().tolist()

    assert first_rows(0, 1) == first_rows(0, 1)
    assert first_rows(0, 1) != first_rows(0, 2)
    assert first_rows(0, 1) != first_rows(1, 1)
    assert len(set(first_rows(0, 1))) == 48


def test_a_whole_run_compiles_one_epoch_and_moves_nothing_to_the_host_within():
    run = trainer()
    run.train(X, 1, 16)
    with jax.transfer_guard("disallow"):
        run.train(X_ON_DEVICE, 3, 16)
    assert run._program.epoch.compilations == 1


def test_a_second_call_trains_on():
    once, twice = trainer(), trainer()
    once.train(X, 3, 16)
    twice.train(X, 1, 16)
    twice.train(X, 2, 16)
    assert_same(once, twice)


def test_evaluation_weighs_examples_and_changes_nothing():
    run = trainer("normalised")
    run.train(X, 1, 16)
    before = arrays(run)
    logs = run.evaluate(X, 16)
    one = run.evaluate(X, 50)
    assert logs["kl_loss"] == pytest.approx(one["kl_loss"], rel=1e-5)
    for name, value in arrays(run).items():
        np.testing.assert_array_equal(value, before[name])


def test_events_come_once_and_in_order():
    recorder = Recorder()
    trainer(callbacks=[recorder]).train(X, 2, 25, val_data=X[:5])
    validation = ["validation_begin", "validation_end"]
    assert recorder.events == [
        "train_begin",
        *("epoch_begin 0", *validation, "epoch_end 0 2"),
        *("epoch_begin 1", *validation, "epoch_end 1 4"),
        "train_end",
    ]
    by_batch = BatchRecorder()
    trainer(callbacks=[by_batch]).train(X, 1, 25)
    batches = [f"batch_{word} {number}" for number in (0, 1) for word in ("begin", "end")]
    assert by_batch.events == [
        "train_begin",
        "epoch_begin 0",
        *batches,
        "epoch_end 0 2",
        "train_end",
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_the_end_is_told_once_when_an_error_ends_the_run(error):
    recorder = Recorder()
    run = trainer(callbacks=[StopAt(0, 1, error), recorder])
    with pytest.raises(error):
        run.train(X, 2, 16)
    assert recorder.events == ["train_begin", "epoch_begin 0", "train_end"]
    assert run.step == 2


@pytest.mark.parametrize("callbacks", [(), (NonFiniteGuard(),)])
def test_a_bad_batch_stops_the_run_at_the_last_good_step(callbacks):
    broken = X.copy()
    broken[40] = np.nan
    run, good = trainer(callbacks=callbacks), trainer()
    with pytest.raises(NonFiniteError, match=r"training stopped at step 2, where .*recon.* is nan"):
        run.train(broken, 3, 16, shuffle=False)
    good.train(X[:32], 1, 16, shuffle=False)
    assert run.step == 2
    for name, value in arrays(good).items():
        np.testing.assert_array_equal(arrays(run)[name], value, err_msg=name)


def test_a_kl_that_overflows_names_itself():
    made = model()
    made.encoder.logvar_proj.bias[...] = jnp.full(4, 100.0)
    run = Trainer(made, optimizer(made))
    with pytest.raises(NonFiniteError, match="step 0, where kl_loss is inf"):
        run.train(X, 1, 16)


def test_optax_does_schedules_clipping_and_accumulation():
    made = model()
    adam = optax.adam(optax.cosine_decay_schedule(1e-2, 9))
    clipped = optax.chain(optax.clip_by_global_norm(1.0), adam)
    transform = optax.MultiSteps(clipped, every_k_schedule=3)
    run = Trainer(made, optimizer(made, transform))
    before = np.asarray(made.encoder.mean_proj.kernel[...])
    run.train(X, 1, 25)
    np.testing.assert_array_equal(made.encoder.mean_proj.kernel[...], before)
    run.train(X, 1, 25)
    assert not np.array_equal(made.encoder.mean_proj.kernel[...], before)


def test_a_loss_of_the_user_with_a_key():
    made = model()

    def loss(model, batch, rng):
        noisy = batch + 0.1 * jax.random.normal(rng, batch.shape)
        outputs = model(noisy)
        return jnp.mean((outputs["reconstructed"] - batch) ** 2)

    history = Trainer(made, optimizer(made), loss).train(X, 30, 25)
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]


def test_bfloat16_computes_in_16_bits_and_keeps_parameters_and_losses_in_32():
    half, full = trainer(compute_dtype=jnp.bfloat16), trainer()
    history = half.train(X, 5, 16), full.train(X, 5, 16)
    assert history[0][-1]["loss"] != history[1][-1]["loss"]
    np.testing.assert_allclose(history[0][-1]["loss"], history[1][-1]["loss"], rtol=2e-2)
    assert {value.dtype for name, value in arrays(half).items() if "kernel" in name} == {F32}
    assert half.model.encoder.mean_proj.dtype is None


def own_loss(loss=None, **options):
    made = model()
    return Trainer(made, optimizer(made), loss, **options)


def test_options_that_hold_for_an_iterable_may_be_given():
    run = trainer(mode="step", drop_remainder=False)
    run.train([X, X[:5]], 1, 16, shuffle=False, val_data=X)
    assert run.step == 2


class Named:
    """The documented form."""

    def loss_fn(self, params=None, batch=None, rng=None, x=None, outputs=None, **kwargs):
        """Called by name."""
        assert params is batch is rng is None
        return super().loss_fn(x=x, outputs=outputs, **kwargs)


class NamedWithoutStep:
    """The documented form of a VQ-VAE, without its keywords."""

    def loss_fn(self, x, outputs):
        """Called by name."""
        return super().loss_fn(x=x, outputs=outputs)


class Released:
    """The form of the releases."""

    def loss_fn(self, batch, model_outputs, **kwargs):
        """Called by position."""
        return super().loss_fn(batch, model_outputs, **kwargs)


class ReleasedWithDefaults:
    """The form of the releases, in which nothing is required."""

    def loss_fn(self, batch=None, model_outputs=None, **kwargs):
        """Called by position."""
        return super().loss_fn(batch, model_outputs, **kwargs)


class ByPosition:
    """Other names, and no keywords but the step."""

    def loss_fn(self, data, given, /, step=0):
        """Called by position."""
        return super().loss_fn(data, given, step=step)


class Anything:
    """All is passed on."""

    def loss_fn(self, *args, **kwargs):
        """Called by name."""
        return super().loss_fn(*args, **kwargs)


FORMS = [Named, NamedWithoutStep, Released, ReleasedWithDefaults, ByPosition, Anything]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["vae", "vq"])
def test_a_users_loss_fn_is_called_in_its_own_form(form, kind):
    def trained(users=None, loss=None):
        made = model(kind, users)
        return Trainer(made, optimizer(made), loss).train(X, 1, 25)

    assert trained(form) == trained()
    if kind == "vq":
        assert trained(form, loss=VAETrainer()) == trained(loss=VAETrainer())


def test_a_loss_fn_of_no_known_form_is_refused_before_training():
    class Other:
        def loss_fn(self, x):
            """Of one argument."""

    made = model(users=Other)
    with pytest.raises(TypeError, match=r"loss_fn of Users must take \(x, outputs\) by name, or"):
        Trainer(made, optimizer(made))
    made = nnx.Linear(2, 2, rngs=nnx.Rngs(0))
    with pytest.raises(TypeError, match="loss must be given, as a Linear has no loss_fn"):
        Trainer(made, optimizer(made))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: trainer().train(X[:0], 1, 4), ValueError, "at least one example"),
        (lambda: trainer().train(X, 1, 64), ValueError, "at most the 50 examples .*, not 64"),
        (lambda: trainer().train(X, 1), ValueError, "batch_size must be a positive integer"),
        (lambda: trainer().train(X, 0, 4), ValueError, "num_epochs must be a positive integer"),
        (lambda: trainer().train({"foo": X}, 1, 4), KeyError, "it has 'foo'"),
        (lambda: trainer().train({"data": X, "y": X[:3]}, 1, 4), ValueError, "as many rows each"),
        (lambda: trainer().train([], 1), ValueError, "at least one batch an epoch"),
        (lambda: trainer().train(3, 1), TypeError, "an array, a dictionary of arrays, or an iter"),
        (lambda: trainer(mode="batch"), ValueError, "mode must be one of epoch, step, not 'batch'"),
        (lambda: Trainer(3, None), TypeError, "model must be an nnx.Module, not 3"),
        (lambda: Trainer(model(), 3), TypeError, "optimizer must be an nnx.Optimizer, not 3"),
        (lambda: trainer(loss=3), TypeError, "loss must be a VAETrainer or a function, not 3"),
        (lambda: trainer(mode=""), ValueError, "mode must be one of epoch, step, not ''"),
        (lambda: trainer(drop_remainder="no"), ValueError, "drop_remainder must be True or False"),
        (lambda: trainer(drop_remaindr=True), TypeError, "did you mean 'drop_remainder'"),
        (lambda: own_loss(loss_type="typo"), ValueError, "the model's own loss_fn, .* not 'typo'"),
        (lambda: own_loss(loss_type="mse"), ValueError, "the model's own loss_fn, .* not 'mse'"),
        (
            lambda: own_loss(VAETrainer().create_loss_fn(), loss_type="bce"),
            ValueError,
            "loss_type must not be given beside a function, which has its own, not 'bce'",
        ),
        (lambda: trainer(loss_type="typo"), ValueError, "loss_type must be one of bce, mae, mse"),
        (lambda: trainer().train(X, 1, 16, shufle=True), TypeError, "did you mean 'shuffle'"),
        (lambda: trainer().train(X, 1, 16, shuffle=3), ValueError, "shuffle must be True or False"),
        (lambda: trainer().train([X], 1, 16), ValueError, "batch_size .* for an iterable, .* 16"),
        (lambda: trainer().train([X], 1, shuffle=True), ValueError, "shuffle .* for an iterable"),
        (lambda: trainer(mode="epoch").train([X], 1), ValueError, "mode .* iterable, .*'epoch'"),
        (
            lambda: trainer(drop_remainder=True).train([X], 1),
            ValueError,
            "drop_remainder must not be given for an iterable",
        ),
        (lambda: trainer().evaluate([X], 16), ValueError, "batch_size .* for an iterable"),
        (lambda: trainer().evaluate(X, batchsize=16), TypeError, "did you mean 'batch_size'"),
        (lambda: trainer().restore("x", weight_only=True), TypeError, "mean 'weights_only'"),
        (lambda: trainer().restore("x", weights_only=1), ValueError, "weights_only must be True"),
        (lambda: trainer(mesh="data"), TypeError, "mesh must be a jax.sharding.Mesh, not 'data'"),
        (lambda: trainer(compute_dtype="bfloat"), ValueError, "did you mean 'bfloat16'"),
        (lambda: trainer(compute_dtype=np.int32), ValueError, "compute_dtype must be one of bfl"),
        (lambda: CheckpointConfig("x", None, save_top_k=3), ValueError, "save_top_k must be 1 in"),
        (lambda: CheckpointConfig("x", None, "max"), ValueError, "mode must be 'min' in a Check"),
        (lambda: CheckpointStore("x", keep_lst=1), TypeError, "did you mean 'keep_last'"),
    ],
)
def test_what_a_trainer_refuses(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_model_that_grows_in_training_is_refused():
    made = model()

    def loss(model, batch, rng):
        del rng
        model.extra = nnx.BatchStat(jnp.ones(3))
        return model.loss_fn(x=batch)["loss"]

    with pytest.raises(ValueError, match="the model must keep its structure in training"):
        Trainer(made, optimizer(made), loss).train(X, 1, 16)


SNAPSHOTS = {
    "itself": lambda x: x,
    "to its device": lambda x: jax.device_put(x, x.device),
    "to its sharding": lambda x: jax.device_put(x, x.sharding),
    "shard": lambda x: x.addressable_data(0),
    "of shards": lambda x: jax.make_array_from_single_device_arrays(
        x.shape, x.sharding, [x.addressable_data(0)]
    ),
}


@pytest.mark.parametrize("form", ["epoch", "step", "train_step", "VAETrainer"])
def test_no_snapshot_of_parameters_is_deleted(form):
    if form == "VAETrainer":
        made = model()
        bound = VAETrainer(made, optimizer(made))
        of = (made, bound.optimizer)

        def train():
            bound.train_step(X)
    else:
        run = trainer(mode="step" if form == "step" else "epoch")
        of = (run.model, run.optimizer)

        def train():
            run.train_step(X) if form == "train_step" else run.train(X, 1, 16)

    train()
    state = nnx.state(of, nnx.Not(nnx.RngState))
    held = {name: jax.tree.map(copy, state) for name, copy in SNAPSHOTS.items()}
    before = jax.tree.map(np.array, state)
    del state
    train()
    train()
    for name, snapshot in held.items():
        for old, kept in zip(jax.tree.leaves(before), jax.tree.leaves(snapshot), strict=True):
            np.testing.assert_array_equal(kept, old, err_msg=name)
    now = jax.tree.leaves(nnx.state(of[0], nnx.Param))
    assert any(
        np.any(a != b)
        for a, b in zip(now, jax.tree.leaves(nnx.state(before[0], nnx.Param)), strict=True)
    )
