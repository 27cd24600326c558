"""Quick compilation: XLA's flags are there while it starts, and gone after; a user's own stay."""

import os

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


@pytest.mark.parametrize(
    ("release", "known"), [("0.9.0", True), ("0.10.2", True), ("0.11.0", False), ("1.2", False)]
)
def test_no_flag_that_ends_a_process_of_a_newer_jax(monkeypatch, release, known):
    monkeypatch.setattr(quick, "version", lambda _: release)
    assert ("--xla_cpu_use_fusion_emitters=false" in quick.flags()) == known
