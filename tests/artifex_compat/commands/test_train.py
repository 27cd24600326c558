"""`train`: what it writes, that it repeats itself, and that it goes on."""

import csv
import json
import re

import numpy as np
import pytest

from artifex_compat.commands.run import RunFolder, load, new_folder
from artifex_compat.generative_models.training.callbacks import JSONLHistory
from tests.artifex_compat.commands.conftest import settings

PICTURES = {
    *("reconstructions", "samples", "traversals", "interpolations"),
    *("kl", "latents", "loss_curves"),
}


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_folder_holds_all_of_a_run(trained, scores):
    assert [row["epoch"] for row in rows(trained)] == [0, 1, 2, 3]
    with (trained / "metrics.csv").open() as file:
        assert [row["val_loss"] for row in csv.DictReader(file)] == [
            str(row["val_loss"]) for row in rows(trained)
        ]
    found = {file.stem: file.read_bytes() for file in (trained / "figures").glob("*.png")}
    assert found.keys() == PICTURES
    assert all(png.startswith(b"\x89PNG") for png in found.values())
    wanted = {"active_units", "elbo", "reconstruction_mse", "mig", "sap", "kl_per_dimension"}
    assert wanted <= scores["scores"].keys()
    assert all(score["versions"]["jax"] for score in scores["scores"].values())
    assert scores["examples"] == 60
    assert "versions" in json.loads((trained / "environment.json").read_text())
    assert (trained / "report.html").stat().st_size < 1_000_000


def test_its_configuration_repeats_it_bit_for_bit(command, trained, tmp_path):
    again = ("train", "--config", trained / "config.yaml", "--out", tmp_path / "again", "--json")
    code, printed, complaint = command(*again)
    assert code == 0, complaint
    result = json.loads(printed)
    assert result["epochs"] == 4
    assert result["val_loss"] == rows(trained)[-1]["val_loss"]
    for name in ("config.yaml", "metrics.jsonl", "metrics.csv", "scores.json"):
        assert (tmp_path / "again" / name).read_bytes() == (trained / name).read_bytes(), name
    assert re.match(r"epoch 1/4  .*loss", complaint)


def test_a_run_that_is_cut_off_goes_on_to_the_same_bits(
    command, refused, trained, tmp_path, monkeypatch
):
    write = JSONLHistory.on_epoch_end

    def cut_off(self, trainer, epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt
        write(self, trainer, epoch, logs)

    out = tmp_path / "cut"
    with monkeypatch.context() as patched:
        patched.setattr(JSONLHistory, "on_epoch_end", cut_off)
        words = refused("train", "--out", out, *settings(evaluation__figures="false"), code=130)
    assert f"train --resume {out} goes on" in words
    assert len(rows(out)) == 2
    code, _, complaint = command("train", "--resume", out)
    assert code == 0, complaint
    assert "epoch 1/4" not in complaint
    for name in ("metrics.jsonl", "metrics.csv", "scores.json"):
        assert (out / name).read_bytes() == (trained / name).read_bytes(), name


def test_a_folder_is_never_written_over(refused, trained):
    assert "--out must be a new or an empty folder" in refused("train", "--out", trained)
    assert "--resume takes the run's own" in refused(
        "train", "--resume", trained, "--set", "training.epochs=9"
    )


def test_folders_are_numbered_and_no_name_leads_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("../<b>&a", "../<b>&a", "...", "..."):
        with new_folder(None, name):
            pass
    found = sorted(str(path) for path in tmp_path.rglob("*") if path.parent.name == "runs")
    assert [name.removeprefix(f"{tmp_path}/") for name in found] == [
        *("runs/b-a-1", "runs/b-a-2", "runs/run-1", "runs/run-2")
    ]


def test_a_loss_that_is_not_finite_ends_the_run(refused, tmp_path):
    options = settings(training__learning_rate="1e38", training__loss_type="mse")
    options += ["--set", "model.output_activation=linear"]
    words = refused("train", "--out", tmp_path / "a", *options, code=1)
    assert re.search(r"training stopped at step \d+, where .* is nan.*; a lower training", words)


@pytest.mark.filterwarnings("ignore:the run ended at step 3, before its warm-up")
@pytest.mark.parametrize("kind", ["beta_vae", "beta_vae_with_capacity"])
def test_a_warm_up_that_outlasts_the_run_is_a_finding(command, kind):
    few = {"training__epochs": "1", "evaluation__figures": "false"}
    capacity = {"model__capacity_num_iter": "4", "training__kl_warmup_steps": None}
    warm_up = capacity if kind == "beta_vae_with_capacity" else {"training__kl_warmup_steps": "4"}
    options = settings(model__type=kind, evaluation__metrics="[mig]", **few, **warm_up)
    code, printed, complaint = command("train", "--json", *options)
    assert code == 0, complaint
    assert "warm-up not finished" in json.loads(printed)["findings"]


KINDS = {
    "conditional_vae": {"model__condition": "digit"},
    "vqvae": {"model__num_embeddings": "8", "training__kl_warmup_steps": None},
    "beta_vae_with_capacity": {
        "model__architecture": "cnn",
        "model__gamma": "10",
        "model__capacity_num_iter": "3",
        "training__kl_warmup_steps": None,
        "data__source": "sprites",
        "data__size": "8",
        "data__positions": "4",
        "data__orientations": "2",
        "evaluation__metrics": "[mig]",
        "evaluation__figures": "false",
    },
}


DRAWN = {
    "conditional_vae": PICTURES,
    "vqvae": PICTURES - {"kl", "traversals"} | {"codebook"},
    "beta_vae_with_capacity": set(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_models(command, tmp_path, kind):
    few = {"training__epochs": "1", "evaluation__log_likelihood_samples": "0"}
    changes = {"model__type": kind, **few, **KINDS[kind]}
    out = tmp_path / "run"
    code, printed, complaint = command("train", "--out", out, "--json", *settings(**changes))
    assert code == 0, complaint
    result = json.loads(printed)
    assert ("perplexity" in result["scores"]) == (kind == "vqvae")
    assert ("elbo" in result["scores"]) == (kind != "vqvae")
    names = {file.stem for file in out.glob("figures/*")}
    assert names == DRAWN[kind]
    config, _, history = load(RunFolder(out))
    assert np.isfinite(history[-1]["val_loss"])
    page = (out / "report.html").read_text()
    assert ("posterior mean" in page.lower()) == (kind == "conditional_vae")
    assert "warm-up not finished" not in result["findings"]
    if kind == "conditional_vae":
        assert "mig" not in result["scores"]
        assert "the factor that the model is given" in result["left_out"]["condition"]
        assert config.model.options["num_classes"] == 10
        assert command("sample", out, "--count", "12", "--out", "a.npz")[0] == 0
        with np.load("a.npz") as arrays:
            assert arrays["labels"].tolist() == [*range(10), 0, 1]
    if kind == "vqvae":
        code, _, complaint = command("traverse", out)
        assert code == 2
        assert "model must have latents that are numbers, which a VQVAE has not" in complaint
