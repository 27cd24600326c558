"""The functional API's example: what it writes, and that the same seed writes the same."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edifice_py import interchange, vqvae

EXAMPLE = Path(__file__).parent.parent / "examples" / "digits.py"


def run(out, *arguments):
    command = [sys.executable, "-W", "error", EXAMPLE, "--epochs", "3", "--out", out, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of one short run."""
    out = tmp_path_factory.mktemp("runs") / "first"
    assert "validation loss" in run(out)
    return out


def test_it_writes_metrics_weights_and_pictures(folder):
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]
    assert rows[-1]["val_loss"] < rows[0]["val_loss"] / 2
    assert rows[-1]["train_loss"] < rows[1]["train_loss"]
    with np.load(folder / "weights.npz") as weights:
        assert weights["encoder/mu/kernel"].shape == (128, 8)
    for name in ("reconstructions", "samples", "latent_space"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_vq_vae_saves_what_loads_as_its_pair_and_its_codebook(tmp_path):
    command = [sys.executable, "-W", "error", EXAMPLE.with_name("vqvae_digits.py")]
    options = ["--epochs", "2", "--codes", "8", "--out", tmp_path]
    told = subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout
    assert float(told.split()[2]) < 0.1
    models = vqvae.build(input_size=64, embedding_dim=8)
    encoder, _ = interchange.load(tmp_path / "vqvae.axon", models)
    assert encoder["encoder_to_embedding"]["kernel"].shape == (128, 8)
    assert interchange.load(tmp_path / "vqvae.axon")["codebook"].shape == (8, 8)
    assert (tmp_path / "reconstructions.png").read_bytes().startswith(b"\x89PNG")


def test_a_seed_gives_the_same_metrics_again_and_another_seed_others(folder, tmp_path):
    metrics = (folder / "metrics.jsonl").read_bytes()
    run(tmp_path)
    assert (tmp_path / "metrics.jsonl").read_bytes() == metrics
    run(tmp_path, "--seed", "1")
    assert (tmp_path / "metrics.jsonl").read_bytes() != metrics
