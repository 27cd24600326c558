"""Quick compilation: what it sets is there within, and gone after; a user's own flags stay."""

import gc
import os
import subprocess
import sys

import pytest

from golden import quick


def test_flags_are_there_within_and_gone_after(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS")
    with quick.compilation():
        assert os.environ["XLA_FLAGS"] == quick.flags()
    assert "XLA_FLAGS" not in os.environ


def test_flags_of_a_user_stay(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    with quick.compilation():
        assert os.environ["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=false"
    assert os.environ["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=false"


@pytest.fixture
def thresholds():
    """Python's own, in this process that looks for garbage as rarely as a check does."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield gc.get_threshold()
    gc.set_threshold(*before)


def test_garbage_is_looked_for_rarely_within_and_as_before_after(thresholds):
    with quick.compilation():
        assert gc.get_threshold()[0] > 100 * thresholds[0]
    assert gc.get_threshold() == thresholds


def test_products_and_sums_are_joined():
    """As at XLA's other levels; rounded one after the other, tanh ends at 0.99999982."""
    program = "import jax.numpy as jnp; print(float(jnp.tanh(jnp.float32(9))))"
    environment = {**os.environ, "XLA_FLAGS": quick.flags()}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "1.0"


@pytest.mark.parametrize(
    ("release", "known"), [("0.9.0", True), ("0.10.2", True), ("0.11.0", False), ("1.2", False)]
)
def test_no_flag_that_ends_a_process_of_a_newer_jax(monkeypatch, release, known):
    monkeypatch.setattr(quick, "version", lambda _: release)
    assert ("--xla_cpu_use_fusion_emitters=false" in quick.flags()) == known
