"""What a command leaves behind of an evaluation: scores, pictures and the report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from artifex_compat.commands.configuration import RunConfig
from artifex_compat.commands.datasets import Batch
from artifex_compat.commands.drawing import Picture, drawn
from artifex_compat.commands.report import Report, page
from artifex_compat.commands.run_folder import RunFolder, write, write_json
from artifex_compat.commands.scoring import Scores, scores_of
from artifex_compat.generative_models.models.vae import VAE


def evaluated(
    folder: RunFolder,
    model: VAE,
    batch: Batch,
    config: RunConfig,
    *,
    history: Sequence[Mapping[str, Any]],
    used: Mapping[str, Any],
    again: str,
    names: Sequence[str] | None,
) -> Scores:
    """Evaluate a model, and write scores, pictures and the report into a folder.

    Args:
        folder: where to.
        model: trained.
        batch: what it is evaluated on.
        config: of the run.
        history: rows of its training.
        used: what it was made with.
        again: the command that repeats it.
        names: of the values of the first factor, where they have any.

    Returns:
        The scores.

    Raises:
        ValueError, ImportError: as `scores_of` and `drawn`.
        OSError: the folder cannot be written to.
    """
    scores = scores_of(model, batch, config, history)
    pictures: list[Picture] = []
    if config.evaluation.figures:
        pictures, left_out = drawn(model, batch, config, scores, history, names)
        scores = replace(scores, left_out=scores.left_out | left_out)
        folder.figures.mkdir(exist_ok=True)
        for picture in pictures:
            write(folder.figures / f"{picture.name}.png", picture.png)
    write_json(folder.scores, scores.as_dict())
    report = Report(config, scores, pictures, used, again)
    write(folder.report, page(report).encode(errors="xmlcharrefreplace"))
    return scores


def printed(scores: Scores) -> str:
    """Scores as lines to read."""
    width = max(map(len, scores.values))
    lines = [f"{name:{width}}  {value:.4g}" for name, value in scores.values.items()]
    lines += [f"{finding.name}: {finding.evidence}" for finding in scores.health.findings]
    lines += [f"{name} left out: {why}" for name, why in scores.left_out.items()]
    return "\n".join(lines)
