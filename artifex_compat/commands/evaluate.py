"""`evaluate`: a trained model on its held-out data, or on others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from artifex_compat.commands.configuration import RunConfig, changed
from artifex_compat.commands.datasets import class_names, evaluation_batch, prepared, whole
from artifex_compat.commands.errors import CommandError, refusing
from artifex_compat.commands.provenance import command, used
from artifex_compat.commands.report import summary
from artifex_compat.commands.results import evaluated, printed
from artifex_compat.commands.run_folder import RunFolder, new_folder
from artifex_compat.commands.scoring import scores_of
from artifex_compat.commands.sections import DataSection
from artifex_compat.commands.trained import trained
from artifex_compat.data import Examples

CHANGEABLE = ("data", "evaluation")


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
        The scores for JSON, and as words.

    Raises:
        CommandError: it was refused.
    """
    for setting in settings:
        if setting.partition(".")[0] not in CHANGEABLE:
            raise CommandError(
                f"--set must change data or evaluation of a model that is trained, not {setting!r}."
            )
    of_run, model, history = trained(RunFolder(run), step)
    other = any(setting.startswith("data.source=") for setting in settings)
    config = changed(replace(of_run, data=DataSection()) if other else of_run, settings)
    with refusing():
        examples = _examples(of_run, config)
        batch = evaluation_batch(examples, config)
        if out is None:
            scores = scores_of(model, batch, config, history)
        else:
            with new_folder(out, str(config.name)) as folder:
                scores = evaluated(
                    folder,
                    model,
                    batch,
                    config,
                    history=history,
                    used=used(arguments),
                    again=command(*arguments),
                    names=class_names(examples),
                )
    written = "" if out is None else f"\nThe report is {out / 'report.html'}"
    return scores.as_dict(), f"{printed(scores)}\n\n{summary(config, scores)}{written}"


def _examples(of_run: RunConfig, config: RunConfig) -> Examples:
    """What the run held out; or all of other data, none of which it has seen."""
    same = config.data == of_run.data
    return prepared(config).held_out if same else whole(config)
