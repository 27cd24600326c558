"""The adapter of the released Artifex, where there is none: `nox -s parity_artifex` has one."""

import sys
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from golden import loader
from golden.adapters import StartError, UnsupportedError, artifex

PLACES = ("core.configuration", "models.vae", "training.trainers")


@pytest.fixture
def released(monkeypatch):
    """What stands for Artifex's modules, empty."""
    modules = {f"artifex.generative_models.{place}": SimpleNamespace() for place in PLACES}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules


def test_without_artifex_it_says_where_there_is_one(monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(artifex, "version", version)
    with pytest.raises(StartError, match="nox -s parity_artifex"):
        artifex.make()


def test_it_introduces_itself_with_the_release_and_what_that_ran_on(monkeypatch):
    monkeypatch.setattr(artifex, "version", lambda name: f"that of {name}")
    made = artifex.make()
    assert made.name == "artifex"
    assert made.versions["avitai-artifex"] == "that of avitai-artifex"
    assert made.versions.keys() >= {"flax", "jax", "platform"}


def test_artifex_is_asked_and_not_artifex_compat(released):
    trainers = released["artifex.generative_models.training.trainers"]
    trainers.VAETrainingConfig = dict
    trainers.VAETrainer = lambda config: SimpleNamespace(
        get_kl_weight=lambda step: jnp.float32(step + config["beta"])
    )
    (case,) = loader.load(pattern="artifex-0.1.3:kl_weight/linear_b4_w10")
    had = artifex.answer(case)["weight"]
    np.testing.assert_array_equal(had, case.inputs["steps"].astype(np.float32) + 4)


def test_the_checkout_is_another_api():
    (case,) = loader.load(pattern="artifex-2026-01:kl_weight/linear_b4_w10")
    with pytest.raises(UnsupportedError):
        artifex.answer(case)
