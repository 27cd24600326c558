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
