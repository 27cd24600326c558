"""The adapter of the released Artifex, where there is none, and the programs it compiles."""

import sys
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from golden import loader, report, runner
from golden.adapters import StartError, UnsupportedError, artifex, artifex_compat
from golden.deviation import deviations_of

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


@pytest.mark.parametrize(
    "identity",
    [
        "models/vqvae_dense",
        "training/mlp_none_named",
        "beta_vae_loss_fn/bce_rank2",
        "vq_quantize/rank2",
        "kl_loss/plain",
        "free_bits/half_rank2",
        "recon_loss/mse_edges",
        "compute_loss_stub/linear_half_mse",
    ],
)
def test_what_two_recordings_ask_for_is_compiled_once(identity, caplog):
    of_release, of_checkout = loader.load(pattern=identity)

    def compiled(case):
        caplog.clear()
        with jax.log_compiles():
            artifex_compat.answer(case)
        return [record for record in caplog.records if "Compiling" in record.message]

    jax.clear_caches()
    assert compiled(of_release)
    assert not compiled(of_checkout)


def test_a_model_asked_call_by_call_holds_too():
    (case,) = loader.load(pattern="artifex-0.1.3:models/vae_dense_one_hidden_bn")
    with jax.disable_jit():
        found = runner.run([case], artifex_compat.make(), deviations_of("artifex_compat"))
    assert not found.failed, report.details([found])
