"""`train`: from a configuration to a trained model and its report."""

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from artifex_compat.commands.building import model_of, trainer_of
from artifex_compat.commands.configuration import RunConfig, configured
from artifex_compat.commands.datasets import (
    Prepared,
    class_names,
    evaluation_batch,
    prepared,
    training_batch,
)
from artifex_compat.commands.errors import FAILED, INTERRUPTED, CommandError, refusing, sentence
from artifex_compat.commands.progress import progress
from artifex_compat.commands.provenance import command, used
from artifex_compat.commands.report import summary
from artifex_compat.commands.results import evaluated, printed
from artifex_compat.commands.run_folder import RunFolder, locked, new_folder, write_json
from artifex_compat.commands.trained import restore
from artifex_compat.data.extras import extra_module
from artifex_compat.generative_models.models.vae import VAE
from artifex_compat.generative_models.training import Trainer
from artifex_compat.generative_models.training.callbacks import (
    Callback,
    CheckpointConfig,
    CSVHistory,
    JSONLHistory,
    ModelCheckpoint,
    NonFiniteError,
    TensorBoardLoggerCallback,
    TensorBoardLoggerConfig,
    WandbLoggerCallback,
    WandbLoggerConfig,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointError

CHECKPOINTS = 10
"""About so many are written in a run, unless the configuration says otherwise."""


def train(
    file: Path | None,
    settings: Sequence[str],
    *,
    out: Path | None,
    resumed: Path | None,
    restart: bool,
    arguments: Sequence[str],
) -> tuple[dict[str, Any], str]:
    """Train a model, evaluate it, and write a folder with all of it.

    Args:
        file: the configuration, None for the defaults.
        settings: each "section.name=value", over it.
        out: the folder, None for a new one below `runs`.
        resumed: the folder of a run that was cut off, in place of all of the others.
        restart: begin a resumed run again where it has no checkpoint.
        arguments: of the command line, to be noted.

    Returns:
        The result for JSON, and as words.

    Raises:
        CommandError: it was refused, failed, or was interrupted.
    """
    if restart and resumed is None:
        raise CommandError("--restart begins a run again that --resume names: give both.")
    if resumed is None:
        ready = _ready(configured(file, settings))
        with new_folder(out, str(ready.config.name)) as folder:
            made = _made(ready.config, folder)
            with refusing(code=FAILED):
                ready.config.to_yaml(folder.config)
            return _trained(made, ready, folder, arguments)
    if file is not None or settings or out is not None:
        raise CommandError("--resume takes the run's own configuration: give it alone.")
    RunFolder(resumed).read_config()
    with locked(resumed, "--resume") as folder:
        ready = _ready(folder.read_config())
        made = _made(ready.config, folder)
        if folder.has_checkpoints:
            restore(made[1], folder)
        elif not restart:
            raise CommandError(
                f"--resume {resumed}: the run has no checkpoint yet; with --restart it begins "
                "again, and the metrics that are there get another name."
            )
        return _trained(made, ready, folder, arguments)


def _trained(
    made: tuple[VAE, Trainer], ready: Prepared, folder: RunFolder, arguments: Sequence[str]
) -> tuple[dict[str, Any], str]:
    """Train to the end of the run, and evaluate it."""
    began, (model, trainer), facts = time.monotonic(), made, used(arguments)
    with refusing(code=FAILED):
        write_json(folder.used, facts)
    _run(trainer, ready, folder)
    again = command("train", "--config", str(folder.config))
    batch = evaluation_batch(ready.held_out, ready.config)
    with refusing(code=FAILED):
        scores = evaluated(
            folder,
            model,
            batch,
            ready.config,
            history=trainer.history,
            used=facts,
            again=again,
            names=class_names(ready.held_out),
        )
    result = {
        "folder": str(folder.path),
        "report": str(folder.report),
        "epochs": trainer.epoch,
        "steps": trainer.step,
        "seconds": round(time.monotonic() - began, 2),
        "loss": trainer.history[-1]["loss"],
        "val_loss": trainer.history[-1]["val_loss"],
        "scores": scores.values,
        "findings": [finding.name for finding in scores.health.findings],
        "left_out": scores.left_out,
    }
    words = summary(ready.config, scores)
    return result, f"{printed(scores)}\n\n{words}\nThe report is {folder.report}"


def _ready(config: RunConfig) -> Prepared:
    with refusing():
        found = prepared(config)
        if config.evaluation.figures:
            extra_module("matplotlib", "matplotlib", "evaluation.figures=true")
    return found


def _made(config: RunConfig, folder: RunFolder) -> tuple[VAE, Trainer]:
    training = config.training
    every = training.checkpoint_every or max(1, training.epochs // CHECKPOINTS)
    place = CheckpointConfig(dirpath=str(folder.checkpoints), every_n_epochs=every)
    with refusing():
        callbacks = [
            *_loggers(config, folder),
            JSONLHistory(folder.lines),
            CSVHistory(folder.table),
            progress(),
            ModelCheckpoint(place),
        ]
        model = model_of(config)
        return model, trainer_of(config, model, callbacks)


def _loggers(config: RunConfig, folder: RunFolder) -> list[Callback]:
    logging, found = config.logging, list[Callback]()
    if logging.tensorboard:
        events = TensorBoardLoggerConfig(log_dir=str(folder.events))
        found.append(TensorBoardLoggerCallback(events))
    if logging.wandb:
        of_run: dict[str, Any] = {"config": config.to_dict(), "log_dir": str(folder.path)}
        theirs = WandbLoggerConfig(project=logging.project, name=config.name, **of_run)
        found.append(WandbLoggerCallback(theirs))
    return found


def _run(trainer: Trainer, ready: Prepared, folder: RunFolder) -> None:
    """Train to the end, and keep the end."""
    config = ready.config
    options = config.training
    again = command("train", "--resume", str(folder.path))
    try:
        with warnings.catch_warnings():
            # The health report says so.
            warnings.filterwarnings("ignore", "the run ended at step")
            trainer.train(
                training_batch(ready.train, config),
                options.epochs,
                options.batch_size,
                val_data=training_batch(ready.held_out, config),
            )
    except NonFiniteError as error:
        words = f"{sentence(error)[:-1]}; a lower training.learning_rate may help."
        raise CommandError(words, FAILED) from error
    except (CheckpointError, OSError) as error:
        raise CommandError(sentence(error), FAILED) from error
    except (ValueError, TypeError, KeyError) as error:
        raise CommandError(sentence(error)) from error
    except KeyboardInterrupt as error:
        goes_on = f"{again} goes on" if folder.has_checkpoints else "nothing was saved yet"
        words = f"interrupted in epoch {trainer.epoch + 1}; {goes_on}."
        raise CommandError(words, INTERRUPTED) from error
