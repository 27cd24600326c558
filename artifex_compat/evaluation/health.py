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
from artifex_compat.evaluation.inference import posterior_of_data
from artifex_compat.evaluation.score import Score
from artifex_compat.generative_models.models.vae import VQVAE
from edifice_py.checks import positive_int
from edifice_py.core import quantize

COLLAPSED_CODEBOOK, HEALTHY_CODEBOOK = 0.1, 0.3
"""Perplexity over the number of codes: below the first the codebook has collapsed, from the second
on it is healthy. Advanced VAE Examples, "Monitor Codebook Usage"."""


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
    """

    examples: int
    active_units: Score
    kl: Score | None
    collapsed: tuple[int, ...]
    codebook: Score | None
    findings: tuple[Finding, ...]

    def as_dict(self) -> Mapping[str, Any]:
        """All of it, for JSON."""
        return {
            "examples": self.examples,
            "active_units": self.active_units.as_dict(),
            "kl": None if self.kl is None else self.kl.as_dict(),
            "collapsed": list(self.collapsed),
            "codebook": None if self.codebook is None else self.codebook.as_dict(),
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
        for finding in self.findings:
            lines += [f"{finding.name}: {finding.evidence}", *(f"  - {a}" for a in finding.advice)]
        return "\n".join(lines)


def health_report(model: Any, data: Any, *, batch_size: int = 256) -> HealthReport:
    """What of a model's latents is in use, what is not, and what to do about it.

    Args:
        model: a VAE of any kind, or another `nnx.Module` that is called as they are.
        data: an array, a dictionary with the data and the condition, `Examples`, or batches; all
            of it counts.
        batch_size: examples at a time.

    Raises:
        TypeError: the model or the data are of another kind.
        ValueError: the data do not fit the model, or there are fewer than two examples.

    Reference:
        Lucas et al. (2019) for the collapse of a dimension, Burda et al. (2016) for active units,
        Advanced VAE Examples, "Monitor Codebook Usage" and "Best Practices".
    """
    batches = batches_of(data, positive_int("batch_size", batch_size), model)
    mean, log_var = posterior_of_data(model, batches)
    flat = mean.reshape(len(mean), -1)
    active = active_units(flat)
    if isinstance(model, VQVAE):
        usage = codebook_usage(_codes(model, mean), model.num_embeddings)
        return HealthReport(len(mean), active, None, (), usage, _codebook_findings(usage))
    kl, collapsed = kl_per_dimension(mean, log_var), collapsed_dimensions(mean, log_var)
    findings = _posterior_findings(kl, active, len(collapsed))
    return HealthReport(len(mean), active, kl, collapsed, None, findings)


def _codes(model: VQVAE, mean: Array) -> Array:
    vectors = mean.reshape(-1, model.embedding_dim)
    codebook = model.embeddings.embedding[...]
    return np.asarray(quantize.nearest_code(jnp.asarray(vectors), codebook))


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
