"""The health report of a trained model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from artifex_compat.evaluation import advice
from artifex_compat.evaluation.active_units_metric import active_units
from artifex_compat.evaluation.advice import Finding
from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.batches import batches_of
from artifex_compat.evaluation.codebook import codebook_usage
from artifex_compat.evaluation.divergence import collapsed_dimensions, kl_per_dimension
from artifex_compat.evaluation.inference import InferenceModel
from artifex_compat.evaluation.reconstruction import reconstruction_mse
from artifex_compat.evaluation.score import Score
from artifex_compat.generative_models.models.vae import VQVAE
from artifex_compat.generative_models.models.vae.losses import output_activation
from artifex_compat.ranges import Range, output_mismatch
from edifice_py.checks import positive_int

COLLAPSED_CODEBOOK, HEALTHY_CODEBOOK = 0.1, 0.3
"""Perplexity over the number of codes: below the first the codebook has collapsed, from the second
on it is healthy. Advanced VAE Examples, "Monitor Codebook Usage"."""


LEAST_EXPLAINED = 0.05
"""Reconstructions that explain less of the variance around the mean example are no use."""


@dataclass(frozen=True)
class HealthReport:
    """Whether a model uses its latents.

    Attributes:
        examples: how many the numbers are from.
        active_units: number and variances of the latents that vary with the data.
        kl: in nats, with its value for each dimension; None for a VQ-VAE, whose KL is constant.
        collapsed: the dimensions whose posterior has collapsed onto the prior.
        codebook: perplexity over the whole set, with the share of dead codes and the counts; None
            but for a VQ-VAE.
        findings: what is wrong, by name, with advice.
        reconstruction: mean squared error, with `of_mean`, that of the mean example, and
            `examples`; None for a model without `decode`.
    """

    examples: int
    active_units: Score
    kl: Score | None
    collapsed: tuple[int, ...]
    codebook: Score | None
    findings: tuple[Finding, ...]
    reconstruction: Score | None = None

    def as_dict(self) -> Mapping[str, Any]:
        """All of it, for JSON."""
        scores = {
            name: None if score is None else score.as_dict()
            for name, score in (
                ("kl", self.kl),
                ("reconstruction", self.reconstruction),
                ("codebook", self.codebook),
            )
        }
        return {
            "examples": self.examples,
            "active_units": self.active_units.as_dict(),
            "collapsed": list(self.collapsed),
            **scores,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def __str__(self) -> str:
        """A few lines to read."""
        latents = len(self.active_units.details["variances"])
        lines = [f"{self.active_units.value:.0f} of {latents} latents are active"]
        if self.kl is not None:
            lines.append(f"KL {self.kl.value:.3f} nats, by dimension:")
            values = enumerate(self.kl.details["per_dimension"])
            lines += [
                f"  {index:3}  {value:8.4f}{'  collapsed' if index in self.collapsed else ''}"
                for index, value in values
            ]
        if self.codebook is not None:
            dead, codes = self.codebook.details["dead_share"], self.codebook.options["codes"]
            lines.append(
                f"perplexity {self.codebook.value:.1f} of {codes} codes, {dead:.0%} of them dead"
            )
        if self.reconstruction is not None:
            of_mean = self.reconstruction.details["of_mean"]
            lines.append(
                f"mean squared error {self.reconstruction.value:.4g}, "
                f"{of_mean:.4g} for the mean example"
            )
        for finding in self.findings:
            lines += [f"{finding.name}: {finding.evidence}", *(f"  - {a}" for a in finding.advice)]
        return "\n".join(lines)


def health_report(
    model: Any,
    data: Any,
    *,
    batch_size: int = 256,
    steps: int | None = None,
    warmup_steps: int = 0,
) -> HealthReport:
    """What of a model's latents is in use, what is not, and what to do about it.

    Reconstructions are compared with the mean of the data, where the model has `decode`.

    Args:
        model: a VAE of any kind, or another `nnx.Module` that is called as they are.
        data: an array, a dictionary with the data and the condition, `Examples`, or batches; all
            of it counts.
        batch_size: examples at a time.
        steps: how many the model was trained for, None where nobody knows.
        warmup_steps: how many the KL takes to its full weight, or the capacity to its end, like
            `Trainer.warmup_steps`.

    Raises:
        TypeError: the model or the data are of another kind.
        ValueError: the data do not fit the model, or there are fewer than two examples.

    Reference:
        Lucas et al. (2019) for the collapse of a dimension, Burda et al. (2016) for active units,
        Advanced VAE Examples, "Monitor Codebook Usage" and "Best Practices".
    """
    inner, means, log_vars = InferenceModel(model), list[Array](), list[Array]()
    errors = _Errors() if hasattr(model, "decode") else None
    for batch in batches_of(data, positive_int("batch_size", batch_size), model):
        mean, log_var = inner.posterior(batch)
        means.append(mean)
        log_vars.append(log_var)
        if errors is not None:
            errors.add(batch.x, inner.decode(inner.code(mean), batch))
    if not means:
        raise ValueError("the data must have at least one example, and there is none.")
    mean, log_var = np.concatenate(means), np.concatenate(log_vars)
    active = active_units(mean.reshape(len(mean), -1))
    kl = codebook = None
    collapsed: tuple[int, ...] = ()
    if isinstance(model, VQVAE):
        codebook = codebook_usage(_codes(model, mean), model.num_embeddings)
        findings = _codebook_findings(codebook)
    else:
        kl, collapsed = kl_per_dimension(mean, log_var), collapsed_dimensions(mean, log_var)
        findings = _posterior_findings(kl, active, len(collapsed))
    score = None if errors is None else errors.score()
    if errors is not None and score is not None:
        findings += errors.findings(model, score, findings)
    findings += _warmup_findings(steps, warmup_steps)
    return HealthReport(len(mean), active, kl, collapsed, codebook, findings, score)


class _Errors:
    """Reconstruction errors, batch by batch, and what is known of the data."""

    def __init__(self) -> None:
        self.count, self.error = 0, 0.0
        self.sum: Any = 0.0
        self.squares: Any = 0.0
        self.ranges: list[Range] = []

    def add(self, x: Array, reconstructed: Array) -> None:
        """Count a batch, `[n, ...]` both; flat ones will do too.

        Raises:
            ValueError: there are not as many numbers in both.
        """
        if reconstructed.size != x.size:
            raise ValueError(
                f"reconstructions must have the shape of the data, {list(x.shape)}, "
                f"not {list(reconstructed.shape)}."
            )
        data = np.asarray(x, np.float64)
        found = reconstructed.reshape(x.shape).astype(np.float32)
        self.error += reconstruction_mse(found, x.astype(np.float32)).value * len(x)
        self.sum, self.squares = self.sum + data.sum(0), self.squares + (data**2).sum(0)
        self.count += len(x)
        self.ranges.append(Range.of(x))

    def score(self) -> Score:
        """The mean squared error of reconstructions and of the mean example."""
        mean = self.sum / self.count
        of_mean = float(np.mean(np.maximum(self.squares / self.count - mean**2, 0)))
        details = {"of_mean": of_mean, "examples": self.count}
        return Score("reconstruction_mse", self.error / self.count, {}, details)

    def findings(
        self, model: Any, score: Score, others: tuple[Finding, ...]
    ) -> tuple[Finding, ...]:
        """What is wrong with the reconstructions that the others do not say already."""
        of_mean, names = score.details["of_mean"], [finding.name for finding in others]
        found: tuple[Finding, ...] = ()
        ends = min(r.low for r in self.ranges), max(r.high for r in self.ranges)
        data = Range(*ends, self.ranges[0].dtype)
        if words := output_mismatch(data, output_activation(model)):
            found += (Finding("data out of reach", words, advice.OUT_OF_REACH),)
        useless = score.value > (1 - LEAST_EXPLAINED) * of_mean
        if useless and of_mean > 0 and "posterior collapse" not in names:
            evidence = (
                f"the mean squared error is {score.value:.4g}, and that of the mean example, alike "
                f"for all, is {of_mean:.4g}."
            )
            found += (Finding("no better than the mean", evidence, advice.NO_BETTER_THAN_MEAN),)
        return found


def _codes(model: VQVAE, mean: Array) -> Array:
    return np.asarray(model.quantize(jnp.asarray(mean))[1]["encoding_indices"])


def _warmup_findings(steps: int | None, warmup_steps: int) -> tuple[Finding, ...]:
    if steps is None or steps >= warmup_steps:
        return ()
    evidence = (
        f"training ended at step {steps:,} of a warm-up of {warmup_steps:,}: the KL never had its "
        "full weight, or the capacity its end."
    )
    return (Finding("warm-up not finished", evidence, advice.WARM_UP),)


def _posterior_findings(kl: Score, active: Score, collapsed: int) -> tuple[Finding, ...]:
    dimensions = len(active.details["variances"])
    if not active.value or collapsed == dimensions:
        evidence = (
            f"the latents say nothing about the data: {active.value:.0f} of {dimensions} are "
            f"active, {collapsed} are at the prior, and the KL is {kl.value:.4f} nats in all."
        )
        return (Finding("posterior collapse", evidence, advice.POSTERIOR_COLLAPSE),)
    if not collapsed:
        return ()
    evidence = f"{collapsed} of {dimensions} dimensions are at the prior and say nothing."
    return (Finding("partial posterior collapse", evidence, advice.SPARE_DIMENSIONS),)


def _codebook_findings(usage: Score) -> tuple[Finding, ...]:
    codes, dead = usage.options["codes"], usage.details["dead_share"]
    share = usage.value / codes
    if share >= HEALTHY_CODEBOOK:
        return ()
    evidence = (
        f"the perplexity is {usage.value:.1f}, {share:.0%} of {codes} codes, and {dead:.0%} of the "
        f"codes are dead; {HEALTHY_CODEBOOK:.0%} to 70% is healthy."
    )
    name = "codebook collapse" if share < COLLAPSED_CODEBOOK else "low codebook usage"
    return (Finding(name, evidence, advice.CODEBOOK_COLLAPSE),)
