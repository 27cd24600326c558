"""The adapter of the released Artifex, where there is none, and the networks it compiles."""

import sys
from functools import partial
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from golden import loader
from golden.adapters import StartError, UnsupportedError, artifex, artifex_build

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


@pytest.fixture
def made():
    """A model of a case, in training mode, with batch statistics and a stream of noise."""
    (case,) = loader.load(pattern="artifex-0.1.3:models/vae_dense_one_hidden_bn")
    return artifex_build.build(artifex_build.api_of("artifex_compat"), case), case.inputs["x"]


def test_compiled_networks_compute_and_change_what_the_networks_do(made):
    plain, x = made
    compiled = artifex_build.with_compiled_networks(nnx.clone(plain))
    assert type(compiled.encoder) is not type(plain.encoder)
    had, wanted = compiled(x), plain(x)
    close = partial(np.testing.assert_allclose, rtol=2e-6, atol=2e-6)
    jax.tree.map(close, had, wanted)
    for kind in (nnx.Param, nnx.BatchStat, nnx.RngCount):
        jax.tree.map(close, nnx.state(compiled, kind), nnx.state(plain, kind))


def test_a_network_is_traced_once_for_all_copies_of_it():
    traced = []

    class Network(nnx.Module):
        def __call__(self, x):
            traced.append(x)
            return x + 1

    network = artifex_build.compiled(Network())
    assert [nnx.clone(network)(jnp.float32(x)).item() for x in (1, 2, 3)] == [2, 3, 4]
    assert len(traced) == 1
