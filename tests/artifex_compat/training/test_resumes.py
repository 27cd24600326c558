"""Runs that go on after `restore`: num_epochs, weights alone, epochs that were cut off."""

import numpy as np
import optax
import pytest

from artifex_compat.generative_models.training import Trainer
from artifex_compat.generative_models.training.callbacks import (
    Callback,
    EarlyStopping,
    EarlyStoppingConfig,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointError
from tests.artifex_compat.train_make import (
    X,
    arrays,
    assert_same,
    model,
    optimizer,
    run,
    saving,
    trainer,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")


def test_weights_alone_go_into_a_run_with_another_optimizer_and_seed(tmp_path):
    first = run(saving(tmp_path), EarlyStopping(EarlyStoppingConfig("loss")))
    first.train(X, 2, 16)
    made = model()
    again = Trainer(made, optimizer(made, optax.sgd(0.1, momentum=0.9)), seed=7)
    with pytest.raises(CheckpointError, match="it is of another optimizer"):
        again.restore(tmp_path)
    assert again.restore(tmp_path, weights_only=True) == 6
    assert (again.step, again.epoch, again.history) == (0, 0, [])
    had = arrays(first)
    for name, value in arrays(again).items():
        if name.startswith("0/"):
            np.testing.assert_array_equal(value, had[name], err_msg=name)
    again.train(X, 1, 16)
    assert again.step == 3


def test_an_optimizer_that_holds_weights_begins_from_those_restored(tmp_path):
    run(saving(tmp_path)).train(X, 1, 16)
    made = model()
    transform = optax.contrib.schedule_free_sgd(0.0)  # it holds a copy of the weights
    again = Trainer(made, optimizer(made, transform))
    again.restore(tmp_path, weights_only=True)
    before = arrays(again)["0/encoder/mean_proj/kernel"]
    again.train(X, 1, 16)
    np.testing.assert_allclose(arrays(again)["0/encoder/mean_proj/kernel"], before, atol=1e-6)


def test_num_epochs_after_restore_is_the_whole_of_the_call(tmp_path):
    whole = run()
    whole.train(X, 6, 16)
    run(saving(tmp_path)).train(X, 3, 16)
    again = run(saving(tmp_path))
    again.restore(tmp_path)
    for epochs in (2, 3):
        with pytest.warns(UserWarning, match=f"has 3 epochs, and num_epochs is {epochs}"):
            again.train(X, epochs, 16)
        assert again.epoch == 3
    again.train(X, 6, 16)
    assert_same(again, whole)
    again.train(X, 1, 16)
    assert again.epoch == 7


def test_the_second_of_two_calls_goes_on_to_its_own_end(tmp_path):
    first = run(saving(tmp_path))
    first.train(X, 2, 16)
    first.train(X, 1, 16)
    again = run(saving(tmp_path))
    again.restore(tmp_path)
    again.train(X, 2, 16)
    assert again.epoch == 4


def test_a_run_that_a_callback_ended_is_over(tmp_path):
    config = EarlyStoppingConfig("loss", min_delta=1e9, patience=1)
    run(EarlyStopping(config), saving(tmp_path)).train(X, 9, 16)
    again = run(EarlyStopping(config), saving(tmp_path))
    again.restore(tmp_path)
    with pytest.warns(UserWarning, match="has 2 epochs, and a callback ended it there"):
        again.train(X, 9, 16)
    assert again.epoch == 2


def test_a_stream_that_raised_midway_costs_the_next_call_nothing():
    def broken():
        yield X[:16]
        yield X[16:32]
        raise OSError("gone")

    made = run()
    with pytest.raises(OSError, match="gone"):
        made.train(broken(), 1)
    made.train([X[:16]], 1)
    assert made.step == 3


def test_an_epoch_goes_on_with_batches_of_its_size_only(tmp_path):
    made = run(saving(tmp_path, every_n_batches=1, keep_last=9))
    made.train(X, 1, 16)
    again = run(saving(tmp_path, every_n_batches=1))
    again.restore(tmp_path, step=2)
    with pytest.raises(ValueError, match=r"batch_size must be that .* cut off, 16, not 8"):
        again.train(X, 1, 8)
    again.train(X, 1, 16)
    assert_same(again, made)


def test_a_smaller_batch_at_the_end_is_not_taken_twice(tmp_path):
    def made():
        return trainer(callbacks=[saving(tmp_path, None, every_n_batches=4)], drop_remainder=False)

    whole = trainer(mode="step", drop_remainder=False)
    whole.train(X, 1, 16)

    class Stop(Callback):
        """Ends the run in validation."""

        def on_validation_begin(self, *_):
            """Raise."""
            raise OSError("gone")

    cut = trainer(
        callbacks=[saving(tmp_path, None, every_n_batches=4), Stop()], drop_remainder=False
    )
    with pytest.raises(OSError, match="gone"):
        cut.train(X, 1, 16, val_data=X)
    again = made()
    assert again.restore(tmp_path) == 4
    again.train(X, 1, 16)
    assert_same(again, whole)
