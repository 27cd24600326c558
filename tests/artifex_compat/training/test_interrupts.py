"""Ctrl-C and SIGTERM: the run is saved where it stands, and goes on to the same bits."""

import os
import signal
import threading

import pytest

from artifex_compat.generative_models.training.callbacks import (
    Callback,
    CheckpointConfig,
    EarlyStopping,
    EarlyStoppingConfig,
    ModelCheckpoint,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointError
from tests.artifex_compat.train_make import LABELED, X, assert_same, trainer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
EVENTS = ("on_epoch_begin", "on_epoch_end", "on_validation_begin", "on_validation_end")


def saving(folder):
    """A checkpoint that is due long after the interrupt."""
    return ModelCheckpoint(CheckpointConfig(folder, None, every_n_epochs=99, every_n_seconds=None))


class Send(Callback):
    """Sends signals to this process at an event of the second epoch, and counts events after."""

    def __init__(self, event, *signals):
        self._event, self._signals = event, signals
        setattr(self, event, self._send)

    def _send(self, trainer, *_):
        if trainer.epoch >= 1 and self._signals:
            signals, self._signals = self._signals, ()
            for number in signals:
                os.kill(os.getpid(), number)


@pytest.mark.parametrize("event", EVENTS)
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path, event):
    whole = trainer("normalised")
    whole.train(LABELED, 3, 16, val_data=LABELED)
    cut = trainer("normalised", callbacks=[Send(event, signal.SIGINT), saving(tmp_path)])
    with pytest.raises(KeyboardInterrupt):
        cut.train(LABELED, 3, 16, val_data=LABELED)
    assert 1 <= cut.epoch < 3
    again = trainer("normalised")
    assert again.restore(tmp_path) == cut.step
    again.train(LABELED, 3, 16, val_data=LABELED)
    assert_same(again, whole)


def test_an_interrupt_between_batches_is_saved_at_the_batch(tmp_path):
    class AtBatch(Callback):
        """Interrupts within an epoch."""

        def on_batch_begin(self, trainer, batch):
            """Interrupt the second batch of the second epoch."""
            if (trainer.epoch, batch) == (1, 1):
                os.kill(os.getpid(), signal.SIGINT)

    cut, whole = trainer(callbacks=[AtBatch(), saving(tmp_path)]), trainer(mode="step")
    with pytest.raises(KeyboardInterrupt):
        cut.train(X, 2, 16)
    assert (cut.step, cut.state.batch) == (5, 2)
    whole.train(X, 2, 16)
    again = trainer(mode="step")
    again.restore(tmp_path)
    again.train(X, 2, 16)
    assert_same(again, whole)


def test_all_callbacks_hear_of_the_epoch_before_an_interrupt_ends_the_run(tmp_path):
    config = EarlyStoppingConfig("loss", min_delta=1e9, patience=9, after_warmup=False)
    stopping = EarlyStopping(config)
    cut = trainer(callbacks=[Send("on_epoch_end", signal.SIGINT), saving(tmp_path), stopping])
    with pytest.raises(KeyboardInterrupt):
        cut.train(X, 9, 16)
    assert stopping.wait_count == cut.epoch - 1 == 0
    again = EarlyStopping(config)
    trainer(callbacks=[again]).restore(tmp_path)
    assert again.best_score == stopping.best_score


def test_an_interrupt_while_a_batch_is_waited_for_is_raised_there(tmp_path):
    def slow():
        yield X[:16]
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it waits on")

    cut = trainer(callbacks=[saving(tmp_path)])
    with pytest.raises(KeyboardInterrupt):
        cut.train(slow(), 1)
    assert trainer().restore(tmp_path) == 1


def test_the_second_interrupt_ends_the_run_at_once(tmp_path):
    cut = trainer(
        callbacks=[Send("on_epoch_begin", signal.SIGINT, signal.SIGINT), saving(tmp_path)]
    )
    with pytest.raises(KeyboardInterrupt):
        cut.train(X, 9, 16)
    assert cut.step == 3
    assert not list(tmp_path.iterdir())


def test_sigterm_is_an_interrupt_where_the_program_says_so(tmp_path):
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cut = trainer(callbacks=[Send("on_epoch_begin", signal.SIGTERM), saving(tmp_path)])
        with pytest.raises(KeyboardInterrupt):
            cut.train(X, 9, 16)
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert trainer().restore(tmp_path) == cut.step == 6


def test_handlers_of_the_program_and_other_threads_are_left_alone():
    seen, received = [], []

    class Look(Callback):
        """Notes the handler of Ctrl-C in a run."""

        def on_epoch_begin(self, *_):
            """Note it."""
            seen.append(signal.getsignal(signal.SIGINT))

    def handler(*_):
        received.append(1)

    before = signal.signal(signal.SIGINT, handler)
    try:
        trainer(callbacks=[Look(), Send("on_epoch_end", signal.SIGINT)]).train(X, 2, 16)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (seen, received) == ([handler, handler], [1])
    thread = threading.Thread(target=lambda: trainer(callbacks=[Look()]).train(X, 1, 16))
    thread.start()
    thread.join()
    assert seen[2] is before


@pytest.mark.parametrize("event", ["on_epoch_begin", "on_epoch_end", "on_validation_begin"])
def test_an_interrupt_that_a_callback_raises_is_saved_too(tmp_path, event):
    def interrupt(trainer, *_):
        if trainer.epoch:
            raise KeyboardInterrupt

    callback = Callback()
    setattr(callback, event, interrupt)
    cut = trainer(callbacks=[saving(tmp_path), callback])
    with pytest.raises(KeyboardInterrupt):
        cut.train(X, 3, 16, val_data=X)
    again, whole = trainer(), trainer()
    assert again.restore(tmp_path) == cut.step
    again.train(X, 3, 16, val_data=X)
    whole.train(X, 3, 16, val_data=X)
    assert_same(again, whole)


def test_an_interrupt_keeps_the_best(tmp_path):
    best = ModelCheckpoint(CheckpointConfig(tmp_path, "val_loss", save_top_k=9, keep_last=1))
    cut = trainer(callbacks=[best, Send("on_epoch_end", signal.SIGINT)])
    with pytest.raises(KeyboardInterrupt):
        cut.train(X, 9, 16, val_data=X)
    assert trainer().restore(tmp_path, step="best") == cut.step


def test_an_interrupted_run_that_cannot_be_saved_says_so(tmp_path):
    (tmp_path / "file").write_text("no folder")
    cut = trainer(callbacks=[saving(tmp_path / "file"), Send("on_epoch_begin", signal.SIGINT)])
    with pytest.raises(CheckpointError, match="could not be written"):
        cut.train(X, 9, 16)
