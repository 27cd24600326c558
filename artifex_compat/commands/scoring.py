"""What a trained model is worth, as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artifex_compat.commands.configuration import RunConfig
from artifex_compat.commands.datasets import Batch
from artifex_compat.commands.errors import sentence
from artifex_compat.commands.sections import CAPACITY, VQ
from artifex_compat.evaluation import (
    HealthReport,
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


@dataclass(frozen=True)
class Scores:
    """What an evaluation found.

    Attributes:
        examples: how many it is from.
        scores: numbers by name, each as `Score.as_dict` gives it.
        health: whether the model uses its latents.
        left_out: what was not computed, and why.
    """

    examples: int
    scores: dict[str, dict[str, Any]]
    health: HealthReport
    left_out: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "examples": self.examples,
            "scores": self.scores,
            "health": self.health.as_dict(),
            "left_out": self.left_out,
        }

    @property
    def values(self) -> dict[str, float]:
        """The numbers alone."""
        return {name: score["value"] for name, score in self.scores.items()}


def scores_of(
    model: VAE, batch: Batch, config: RunConfig, history: Sequence[Mapping[str, Any]]
) -> Scores:
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
    of_health = (health.active_units, health.kl, health.codebook, health.reconstruction)
    found = [score for score in of_health if score]
    try:
        found += _likelihoods(model, batch, config)
    except ValueError as error:
        left_out["likelihood"] = sentence(error)
    scores = [score.as_dict() for score in found]
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
        return config.model.capacity_num_iter
    return VAETrainer(config.training).warmup_steps


def _likelihoods(model: VAE, batch: Batch, config: RunConfig) -> list[Score]:
    options, kind = config.evaluation, config.training.loss_type
    if config.model.type == VQ:
        raise ValueError("a VQ-VAE has no Gaussian posterior to draw from.")
    if kind not in OBSERVATIONS:
        raise ValueError(f"loss_type {kind!r} stands for no distribution that is computed here.")
    how: dict[str, Any] = {"observation": OBSERVATIONS[kind], "seed": options.seed}
    found = [model_elbo(model, batch, **how)]
    if options.log_likelihood_samples:
        some = {name: rows[: options.log_likelihood_examples] for name, rows in batch.items()}
        samples = options.log_likelihood_samples
        found.append(model_log_likelihood(model, some, samples=samples, **how))
    return found
