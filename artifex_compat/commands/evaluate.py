"""`evaluate`: scores, pictures and report of a trained model, on held-out data or on others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from artifex_compat.commands.configuration import (
    CAPACITY,
    VQ,
    DataSection,
    RunConfig,
    change_config,
)
from artifex_compat.commands.datasets import (
    Batch,
    class_names,
    evaluation_batch,
    prepare,
    read_examples,
)
from artifex_compat.commands.draw import Picture, draw_pictures
from artifex_compat.commands.errors import CommandError, command_errors, sentence
from artifex_compat.commands.report import Report, Scores, page, summary
from artifex_compat.commands.run import (
    History,
    RunFolder,
    describe_environment,
    load,
    new_folder,
    shell_command,
    write,
    write_json,
)
from artifex_compat.data import Examples
from artifex_compat.evaluation import (
    evaluate_disentanglement,
    health_report,
    model_elbo,
    model_log_likelihood,
)
from artifex_compat.evaluation.score import Score
from artifex_compat.generative_models.models.vae import VAE
from artifex_compat.generative_models.training import VAETrainer

OBSERVATIONS = {"bce": "bernoulli", "mse": "gaussian"}
"""The distribution of an example around its reconstruction that a loss stands for."""
CHANGEABLE = ("data", "evaluation")


def scores_of(model: VAE, batch: Batch, config: RunConfig, history: History) -> Scores:
    """Health, likelihoods, reconstruction error, and disentanglement where factors are known.

    Args:
        model: trained.
        batch: `image`, and `labels` and `y` where there are any.
        config: of the run.
        history: rows of its training.

    Raises:
        ValueError: the data do not fit the model, or there are fewer than two examples.
        ImportError: there are factors, and scikit-learn is not installed.
    """
    options, left_out = config.evaluation, {}
    steps = history[-1]["step"] if history else None
    health = health_report(model, batch, steps=steps, warmup_steps=_warmup_steps(config))
    health_scores = (health.active_units, health.kl, health.codebook, health.reconstruction)
    scores = [score.as_dict() for score in health_scores if score]
    try:
        scores += [score.as_dict() for score in _likelihoods(model, batch, config)]
    except ValueError as error:
        left_out["likelihood"] = sentence(error)
    if "labels" in batch:
        try:
            results = evaluate_disentanglement(
                model,
                batch,
                options.examples,
                metrics=options.metrics,
                seed=options.seed,
                verbose=False,
            )
        except ValueError as error:
            left_out["disentanglement"] = sentence(error)
        else:
            scores += results["scores"][1:]  # the first are the active units, which are there
            if results["factors_of_condition"]:
                left_out["condition"] = (
                    "no metric of disentanglement counts the factor that the model is given."
                )
    else:
        left_out["disentanglement"] = "the data have no factors."
    named = {score["name"]: score for score in scores}
    return Scores(len(batch["image"]), named, health, left_out)


def _warmup_steps(config: RunConfig) -> int:
    """Steps until the objective of a run is the whole one."""
    if config.model.type == VQ:
        return 0
    if config.model.type == CAPACITY:
        return int(config.model.options["capacity_num_iter"])
    return VAETrainer(config.training).warmup_steps


def _likelihoods(model: VAE, batch: Batch, config: RunConfig) -> list[Score]:
    options, kind = config.evaluation, config.training.loss_type
    if config.model.type == VQ:
        raise ValueError("a VQ-VAE has no Gaussian posterior to draw from.")
    if kind not in OBSERVATIONS:
        raise ValueError(f"loss_type {kind!r} stands for no distribution that is computed here.")
    arguments: dict[str, Any] = {"observation": OBSERVATIONS[kind], "seed": options.seed}
    scores = [model_elbo(model, batch, **arguments)]
    if samples := options.log_likelihood_samples:
        first = {name: rows[: options.log_likelihood_examples] for name, rows in batch.items()}
        scores.append(model_log_likelihood(model, first, samples=samples, **arguments))
    return scores


def write_evaluation(
    folder: RunFolder,
    model: VAE,
    examples: Examples,
    config: RunConfig,
    *,
    history: History,
    environment: Mapping[str, Any],
    command: str,
) -> Scores:
    """Evaluate a model, and write scores, pictures and the report into a folder.

    Args:
        folder: where to.
        model: trained.
        examples: what it is evaluated on.
        config: of the run.
        history: rows of its training.
        environment: see `describe_environment`.
        command: the one that repeats it.

    Returns:
        The scores.

    Raises:
        ValueError, ImportError: as `scores_of` and `draw_pictures`.
        OSError: the folder cannot be written to.
    """
    batch, names = evaluation_batch(examples, config), class_names(examples)
    scores = scores_of(model, batch, config, history)
    pictures: list[Picture] = []
    if config.evaluation.figures:
        pictures, left_out = draw_pictures(model, batch, config, scores.health, history, names)
        scores = replace(scores, left_out=scores.left_out | left_out)
        folder.figures.mkdir(exist_ok=True)
        for picture in pictures:
            write(folder.figures / f"{picture.name}.png", picture.png)
    write_json(folder.scores, scores.as_dict())
    report = Report(config, scores, pictures, environment, command)
    write(folder.report, page(report).encode(errors="xmlcharrefreplace"))
    return scores


def evaluate(
    run: Path,
    settings: Sequence[str],
    out: Path | None,
    step: int | str | None,
    arguments: Sequence[str],
) -> tuple[dict[str, Any], str]:
    """Evaluate the model of a run.

    Args:
        run: its folder.
        settings: each "data.name=value" or "evaluation.name=value", over its configuration; with
            "data.source=..." among them the other options of data begin at their defaults.
        out: a new folder for scores, pictures and a report; None writes nothing.
        step: that of the checkpoint, or "best"; None for the newest.
        arguments: of the command line, to be noted.

    Returns:
        The scores for JSON, and as text.

    Raises:
        CommandError: it was refused.
    """
    for setting in settings:
        if setting.partition(".")[0] not in CHANGEABLE:
            raise CommandError(
                f"--set must change data or evaluation of a model that is trained, not {setting!r}."
            )
    run_config, model, history = load(RunFolder(run), step)
    other_source = any(setting.startswith("data.source=") for setting in settings)
    base = replace(run_config, data=DataSection()) if other_source else run_config
    config = change_config(base, settings)
    with command_errors():
        # Of the run's own data what was held out, of others all: it has seen none of them.
        same = config.data == run_config.data
        examples = prepare(config).held_out if same else read_examples(config)
        if out is None:
            scores = scores_of(model, evaluation_batch(examples, config), config, history)
            written = ""
        else:
            with new_folder(out, str(config.name)) as folder:
                scores = write_evaluation(
                    folder,
                    model,
                    examples,
                    config,
                    history=history,
                    environment=describe_environment(arguments),
                    command=shell_command(*arguments),
                )
                written = f"\nThe report is {folder.report}"
    return scores.as_dict(), f"{scores.text}\n\n{summary(config, scores)}{written}"
