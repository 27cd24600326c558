"""Steps that are not finite change nothing, whatever makes them so, in every form of a step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from artifex_compat.generative_models.training import Trainer, VAETrainer
from artifex_compat.generative_models.training.callbacks import NonFiniteError, NonFiniteGuard
from tests.artifex_compat.train_make import X, arrays, model, optimizer, trainer

NAN = X.copy()
NAN[3, 2] = np.nan


@pytest.mark.parametrize(
    "options", [{"mode": "epoch"}, {"mode": "step"}, {"callbacks": [NonFiniteGuard()]}]
)
def test_a_trainer_goes_on_after_a_step_that_was_not_finite(options):
    run, good = trainer(**options), trainer(**options)
    run.train_step(X[:25])
    good.train_step(X[:25])
    for _ in range(2):
        with pytest.raises(NonFiniteError, match="step 1, where"):
            run.train(NAN, 2, 50, shuffle=False)
        assert run.step == 1
    run.train(X, 2, 25)
    good.train(X, 2, 25)
    assert run.history == good.history
    for name, value in arrays(run).items():
        np.testing.assert_array_equal(value, arrays(good)[name], err_msg=name)


@pytest.mark.parametrize(
    ("form", "data", "rate"),
    [("bound", NAN, 0.01), ("eager", NAN, 0.01), ("jit", NAN, 0.01), ("eager", X, np.inf)],
)
def test_a_step_of_a_vae_trainer_changes_nothing(form, data, rate):
    made = model("normalised")
    opt = optimizer(made, optax.sgd(lambda count: jnp.full_like(count, rate, jnp.float32)))
    state = nnx.state((made, opt), nnx.Not(nnx.RngState))
    before = jax.tree.map(np.array, state)
    if form == "bound":
        step = VAETrainer(made, opt).train_step
    else:
        free = nnx.jit(VAETrainer().train_step) if form == "jit" else VAETrainer().train_step

        def step(batch, step):
            return free(made, opt, batch, step=step)

    assert np.isnan(step({"data": data}, step=5)[0])
    after = nnx.state((made, opt), nnx.Not(nnx.RngState))
    jax.tree.map(np.testing.assert_array_equal, after, before)
    if rate < 1:
        loss, _ = step({"data": X}, step=5)
        assert np.isfinite(loss)
        assert opt.step[...] == 1


def broken_gradient(model, batch, rng):
    """A finite loss whose gradient is NaN from where the data are negative."""
    del rng
    zeros = jnp.abs(model.decoder.output_layer.kernel[...] * 0)
    root = jnp.sqrt(zeros + jnp.where(batch[0, 0] < 0, 0.0, 1.0))
    return model.loss_fn(x=jnp.abs(batch))["loss"] + jnp.mean(root)


def own_loss(model, batch, rng):
    """The loss of a VAE, and its model's state, which the data may make infinite."""
    del rng
    loss = model.loss_fn(x=jnp.abs(batch))["loss"]
    model.seen[...] = jnp.where(batch[0, 0] < 0, jnp.inf, 1.0)
    return loss


def rates(*steps):
    """A schedule that gives these rates."""
    return lambda count: jnp.array(steps, jnp.float32)[jnp.minimum(count, len(steps) - 1)]


def overflowing(count):
    """A decay under which the momentum overflows in the fourth step."""
    return jnp.where(count < 3, 0.9, 3e38).astype(jnp.float32)


def scaled_momentum():
    """SGD whose state is multiplied by what `overflowing` gives; it does not move parameters."""

    def init(params):
        return optax.TraceState(jax.tree.map(jnp.ones_like, params)), jnp.zeros((), jnp.int32)

    def update(updates, state, params=None):
        del params
        trace, count = state
        grown = jax.tree.map(lambda t: 9 * t * overflowing(count), trace.trace)
        return updates, (optax.TraceState(grown), count + 1)

    return optax.chain(optax.sgd(1e-2), optax.GradientTransformation(init, update))


# Each goes wrong in the fourth step, of batch 3.
DATA = X[:48].copy()
DATA[36] *= -1
CASES = {
    "gradient": (broken_gradient, lambda: optax.sgd(1e-2)),
    "parameters": (None, lambda: optax.sgd(rates(1e-2, 1e-2, 1e-2, jnp.inf))),
    "optimizer state": (None, scaled_momentum),
    "model state": (own_loss, lambda: optax.adam(1e-2)),
}


def made_for(case, **options):
    """A trainer whose fourth step goes wrong by the case, and the data for it."""
    loss, transform = CASES[case]
    of = model()
    of.seen = nnx.BatchStat(jnp.zeros(()))
    run = Trainer(of, optimizer(of, transform()), loss, **options)
    return run, DATA if loss else np.abs(DATA)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "options",
    [{"mode": "epoch"}, {"mode": "step"}, {"callbacks": [NonFiniteGuard()]}, {"stream": True}],
)
def test_a_finite_loss_that_leads_to_what_is_not_finite_changes_nothing(case, options):
    stream = options.get("stream", False)
    options = {name: value for name, value in options.items() if name != "stream"}
    run, data = made_for(case, **options)
    good, _ = made_for(case, mode="step")
    good.train(data[:36], 1, 12, shuffle=False)
    given = [data[start : start + 12] for start in range(0, 48, 12)] if stream else data
    size = () if stream else (12,)
    for _ in range(2):
        with pytest.raises(NonFiniteError, match=f"step 3, .* the {case}"):
            run.train(given, 2, *size, shuffle=False)
        for name, value in arrays(good).items():
            np.testing.assert_array_equal(arrays(run)[name], value, err_msg=name)
        given = given[3:] if stream else given[36:]


@pytest.mark.parametrize("case", ["parameters", "optimizer state"])
def test_a_bound_step_that_would_write_what_is_not_finite_changes_nothing(case):
    of = model()
    opt = optimizer(of, CASES[case][1]())
    step = VAETrainer(of, opt).train_step
    losses = [step(X)[0] for _ in range(3)]
    before = jax.tree.map(np.array, nnx.state((of, opt), nnx.Not(nnx.RngState)))
    assert np.isfinite(losses).all()
    for _ in range(2):
        loss, metrics = step(X)
        assert np.isnan(loss)
        assert np.isfinite(metrics["kl_loss"])
        jax.tree.map(
            np.testing.assert_array_equal, nnx.state((of, opt), nnx.Not(nnx.RngState)), before
        )


@pytest.mark.parametrize("mode", ["epoch", "step"])
def test_what_is_written_decides(mode):
    run, data = made_for("gradient")
    transform = optax.chain(optax.zero_nans(), optax.sgd(1e-2))  # it mends the gradient
    mended = Trainer(run.model, optimizer(run.model, transform), broken_gradient, mode=mode)
    mended.train(data, 2, 12, shuffle=False)
    assert mended.step == 8


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # by JAX, of 1e39
@pytest.mark.parametrize("form", ["epoch", "step", "bound"])
def test_a_learning_rate_beyond_float32_changes_nothing(form):
    of = model()
    opt = optimizer(of, optax.sgd(1e39))
    before = jax.tree.map(np.array, nnx.state(of, nnx.Param))
    if form == "bound":
        assert np.isnan(VAETrainer(of, opt).train_step(X)[0])
    else:
        with pytest.raises(NonFiniteError, match=r"step 0, .* the parameters"):
            Trainer(of, opt, mode=form).train(X, 1, 25)
    jax.tree.map(np.testing.assert_array_equal, nnx.state(of, nnx.Param), before)


def labels(params):
    """Which network each parameter is of."""
    return jax.tree.map_with_path(
        lambda path, _: "decoder" if "decoder" in jax.tree_util.keystr(path) else "encoder", params
    )


TRANSFORMS = {
    "multi_transform": lambda: optax.multi_transform(
        {"encoder": optax.adam(1e-2), "decoder": optax.sgd(1e-3, momentum=0.9)}, labels
    ),
    "masked": lambda: optax.chain(
        optax.masked(
            optax.set_to_zero(), lambda p: jax.tree.map(lambda w: w == "decoder", labels(p))
        ),
        optax.adam(1e-2),
    ),
    "reduce_on_plateau": lambda: optax.chain(
        optax.adam(1e-2), optax.contrib.reduce_on_plateau(patience=1)
    ),
    "MultiSteps": lambda: optax.MultiSteps(
        optax.chain(optax.adam(1e-2), optax.contrib.reduce_on_plateau(patience=1)), 2
    ),
    "lbfgs": optax.lbfgs,
    "sam": lambda: optax.contrib.sam(optax.adam(1e-2), optax.sgd(0.01), sync_period=2),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transformations_of_optax_train_and_resume_to_the_same_bits(name, tmp_path):
    from artifex_compat.generative_models.training.callbacks import (
        CheckpointConfig,
        ModelCheckpoint,
    )

    def made(*callbacks):
        of = model()
        return Trainer(of, optimizer(of, TRANSFORMS[name]()), callbacks=callbacks)

    whole, first = made(), made(ModelCheckpoint(CheckpointConfig(str(tmp_path), monitor="loss")))
    whole.train(X, 2, 25)
    first.train(X, 1, 25)
    second = made()
    second.restore(tmp_path)
    second.train(X, 2, 25)
    assert whole.history == second.history
    leaves = [jax.tree.leaves(nnx.state((run.model, run.optimizer))) for run in (whole, second)]
    for a, b in zip(*leaves, strict=True):
        if not jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            np.testing.assert_array_equal(a, b)
    of = model()
    opt = optimizer(of, TRANSFORMS[name]())
    assert np.isfinite(VAETrainer(of, opt).train_step(X)[0])


@pytest.mark.parametrize(
    "train",
    [
        lambda of, opt: Trainer(of, opt).train(X, 1, 25),
        lambda of, opt: VAETrainer(of, opt).train_step(X),
        lambda of, opt: VAETrainer().train_step(of, opt, X),
    ],
)
def test_a_transformation_whose_state_holds_lists_is_refused(train):
    of = model()
    opt = optimizer(of, optax.sm3(1e-2))
    with pytest.raises(ValueError, match=r"Transformations whose state holds lists, as optax\.sm3"):
        train(of, opt)


def test_a_buffer_that_is_filled_anew_is_copied_first():
    def aligned(array):
        raw = np.empty(array.nbytes + 64, np.uint8)
        start = -raw.ctypes.data % 64
        view = raw[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        view[...] = array
        return view

    buffer = aligned(X)
    run = trainer()
    placed = run._program.place(buffer)
    bound = model()
    step = VAETrainer(bound, optimizer(bound)).train_step
    losses, wanted = [], []
    buffer[...] = 9.0
    np.testing.assert_array_equal(placed, X)
    other = model()
    same = VAETrainer(other, optimizer(other)).train_step
    for scale in (1.0, 0.5, 0.25):
        buffer[...] = X * np.float32(scale)
        losses.append(step(buffer)[0])
        buffer[...] = 0.0
        wanted.append(same(jnp.asarray(X * np.float32(scale)))[0])
    np.testing.assert_array_equal(losses, wanted)
