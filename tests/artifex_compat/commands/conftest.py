"""Runs so small that a test has time for them."""

import json

import pytest

from artifex_compat.commands.command_line import run

TINY = {
    "model.hidden_dims": "[8]",
    "model.latent_dim": "3",
    "training.epochs": "4",
    "training.checkpoint_every": "1",
    "training.kl_warmup_steps": "3",
    "data.examples": "300",
    "evaluation.log_likelihood_samples": "3",
    "evaluation.log_likelihood_examples": "20",
}


def settings(**changes):
    """TINY as options, with changes over it; `model__type` stands for model.type."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    chosen = {name: value for name, value in (TINY | named).items() if value is not None}
    return [part for name, value in chosen.items() for part in ("--set", f"{name}={value}")]


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    """A command in an empty folder: its exit code, what it printed, and what it complained of."""
    monkeypatch.chdir(tmp_path)

    def called(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return called


@pytest.fixture
def refused(command):
    """The sentence of a command that must end with exit code 2."""

    def called(*arguments, code=2):
        found, printed, complaint = command(*arguments)
        lines = complaint.splitlines()
        sentences = [line for line in lines if not line.startswith("epoch ")]
        assert (found, printed, len(sentences)) == (code, "", 1), complaint
        assert sentences[0].startswith("artifex_compat: ")
        assert sentences[0].endswith((".", "?"))
        return sentences[0]

    return called


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of one tiny run, with its pictures."""
    out = tmp_path_factory.mktemp("commands") / "run"
    assert run(["train", "--out", str(out), *settings()]) == 0
    return out


@pytest.fixture
def scores(trained):
    """The scores that the tiny run wrote."""
    return json.loads((trained / "scores.json").read_text())
