"""TensorBoard and Weights & Biases, played by modules that note what they are told."""

import sys
from types import SimpleNamespace

import pytest

from artifex_compat.generative_models.training.callbacks import (
    TensorBoardLoggerCallback,
    TensorBoardLoggerConfig,
    WandbLoggerCallback,
    WandbLoggerConfig,
)

LOGS = {"loss": 2.0, "val_loss": 3.0}


def trainer(step):
    return SimpleNamespace(step=step)


class Recorder:
    """Notes every call of every method."""

    def __init__(self, **attributes):
        self.calls = []
        self.__dict__.update(attributes)

    def __getattr__(self, name):
        return lambda *args, **named: self.calls.append((name, args, named))


@pytest.fixture
def tensorboard(monkeypatch):
    """The writers that were opened, each with what it was opened with."""
    writers = []

    def opened(folder, **options):
        writers.append((folder, options, Recorder()))
        return writers[-1][2]

    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=opened))
    return writers


def test_tensorboard_hears_of_epochs(tensorboard):
    callback = TensorBoardLoggerCallback(TensorBoardLoggerConfig(log_dir="events"))
    assert not callback.hears_batches
    callback.on_train_begin(trainer(0))
    callback.on_epoch_end(trainer(5), 0, LOGS)
    callback.on_train_end(trainer(5))
    ((folder, options, writer),) = tensorboard
    assert (folder, options) == ("events", {"purge_step": None})
    assert writer.calls == [
        ("add_scalar", ("loss", 2.0, 5), {}),
        ("add_scalar", ("val_loss", 3.0, 5), {}),
        ("close", (), {}),
    ]


def test_a_tilde_is_the_home_folder(tensorboard, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    TensorBoardLoggerCallback(TensorBoardLoggerConfig(log_dir="~/a")).on_train_begin(trainer(0))
    assert tensorboard[0][0] == "/somewhere/a"
    begun = []
    init = SimpleNamespace(init=lambda **options: begun.append(options) or SimpleNamespace(id="a"))
    monkeypatch.setitem(sys.modules, "wandb", init)
    config = WandbLoggerConfig(project="p", log_dir="~/b")
    WandbLoggerCallback(config).on_train_begin(trainer(0))
    assert begun[0]["dir"] == "/somewhere/b"


def test_tensorboard_forgets_what_came_after_the_checkpoint(tensorboard):
    TensorBoardLoggerCallback().on_train_begin(trainer(5))
    assert tensorboard[0][1] == {"purge_step": 6}


def test_wandb_hears_of_epochs_and_a_run_goes_on_as_the_same_one(monkeypatch):
    begun = []

    def init(**options):
        begun.append((options, Recorder(id="abc")))
        return begun[-1][1]

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    config = WandbLoggerConfig(project="p", name="n", config={"beta": 4}, mode="offline")
    callback = WandbLoggerCallback(config)
    callback.on_train_begin(trainer(0))
    callback.on_epoch_end(trainer(5), 0, LOGS)
    callback.on_train_end(trainer(5))
    options, run = begun[0]
    assert (options["id"], options["config"], options["mode"]) == (None, {"beta": 4}, "offline")
    assert run.calls == [("log", (LOGS,), {"step": 5}), ("finish", (), {})]
    again = WandbLoggerCallback(config)
    again.load_state(callback.state())
    again.on_train_begin(trainer(5))
    assert (begun[1][0]["id"], begun[1][0]["resume"]) == ("abc", "allow")


@pytest.mark.parametrize(
    ("name", "extra", "made"),
    [
        ("tensorboardX", "tensorboard", TensorBoardLoggerCallback),
        ("wandb", "wandb", lambda: WandbLoggerCallback(WandbLoggerConfig(project="p"))),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch, name, extra, made):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"install 'edifice-py\[{extra}\]'"):
        made()


def test_a_logger_that_never_began_ends_quietly(tensorboard, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace())
    TensorBoardLoggerCallback().on_train_end(trainer(0))
    WandbLoggerCallback(WandbLoggerConfig(project="p")).on_train_end(trainer(0))
    assert tensorboard == []
