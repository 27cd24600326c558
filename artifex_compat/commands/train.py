"""`train`: from a configuration to a trained model and its report."""

import sys
import time
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from artifex_compat.commands.configuration import RunConfig, build_config
from artifex_compat.commands.datasets import (
    Prepared,
    prepare,
    training_batch,
)
from artifex_compat.commands.errors import (
    FAILED,
    INTERRUPTED,
    CommandError,
    command_errors,
    sentence,
)
from artifex_compat.commands.evaluate import write_evaluation
from artifex_compat.commands.report import summary
from artifex_compat.commands.run import (
    RunFolder,
    build,
    describe_environment,
    locked,
    new_folder,
    restore,
    shell_command,
    write_json,
)
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
    ProgressBar,
    TensorBoardLoggerCallback,
    TensorBoardLoggerConfig,
    WandbLoggerCallback,
    WandbLoggerConfig,
)
from artifex_compat.generative_models.training.callbacks.progress import described
from artifex_compat.generative_models.training.checkpoints import CheckpointError

METRICS = ("loss", "recon_loss", "kl_loss", "perplexity", "val_loss")
PARTS = 10
"""Of a run: after each there is a line, and a checkpoint unless the configuration differs."""


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
        The result for JSON, and as text.

    Raises:
        CommandError: it was refused, failed, or was interrupted.
    """
    if restart and resumed is None:
        raise CommandError("--restart begins a run again that --resume names: give both.")
    if resumed is None:
        data = _prepare(build_config(file, settings))
        with new_folder(out, str(data.config.name)) as folder:
            model, trainer = _build(data.config, folder)
            with command_errors(code=FAILED):
                data.config.to_yaml(folder.config)
            return _train_and_evaluate(model, trainer, data, folder, arguments)
    if file is not None or settings or out is not None:
        raise CommandError("--resume takes the run's own configuration: give it alone.")
    RunFolder(resumed).read_config()
    with locked(resumed, "--resume") as folder:
        data = _prepare(folder.read_config())
        model, trainer = _build(data.config, folder)
        if folder.has_checkpoints:
            restore(trainer, folder)
        elif not restart:
            raise CommandError(
                f"--resume {resumed}: the run has no checkpoint yet; with --restart it begins "
                "again, and the metrics that are there get another name."
            )
        return _train_and_evaluate(model, trainer, data, folder, arguments)


def _train_and_evaluate(
    model: VAE, trainer: Trainer, data: Prepared, folder: RunFolder, arguments: Sequence[str]
) -> tuple[dict[str, Any], str]:
    start, config, environment = time.monotonic(), data.config, describe_environment(arguments)
    with command_errors(code=FAILED):
        write_json(folder.environment, environment)
    _train(trainer, data, folder)
    with command_errors(code=FAILED):
        scores = write_evaluation(
            folder,
            model,
            data.held_out,
            config,
            history=trainer.history,
            environment=environment,
            command=shell_command("train", "--config", str(folder.config)),
        )
    result = {
        "folder": str(folder.path),
        "report": str(folder.report),
        "epochs": trainer.epoch,
        "steps": trainer.step,
        "seconds": round(time.monotonic() - start, 2),
        "loss": trainer.history[-1]["loss"],
        "val_loss": trainer.history[-1]["val_loss"],
        "scores": scores.values,
        "findings": [finding.name for finding in scores.health.findings],
        "left_out": scores.left_out,
    }
    text = f"{scores.text}\n\n{summary(config, scores)}\nThe report is {folder.report}"
    return result, text


def _prepare(config: RunConfig) -> Prepared:
    with command_errors():
        data = prepare(config)
        if config.evaluation.figures:
            extra_module("matplotlib", "matplotlib", "evaluation.figures=true")
    return data


def _build(config: RunConfig, folder: RunFolder) -> tuple[VAE, Trainer]:
    training = config.training
    every = training.checkpoint_every or max(1, training.epochs // PARTS)
    checkpoints = CheckpointConfig(dirpath=str(folder.checkpoints), every_n_epochs=every)
    with command_errors():
        callbacks = [
            *_loggers(config, folder),
            JSONLHistory(folder.lines),
            CSVHistory(folder.table),
            _progress(),
            ModelCheckpoint(checkpoints),
        ]
        return build(config, callbacks)


class ProgressLines(Callback):
    """Progress on standard error without a terminal: a line for every tenth of a run."""

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """Write the line if it is due."""
        number, last = epoch + 1, trainer.state.last_epoch
        if number % max(1, last // PARTS) == 0 or number == last:
            line = f"epoch {number}/{last}  {described(logs, METRICS)}"
            print(line, file=sys.stderr, flush=True)


def _progress() -> Callback:
    """A bar, if there is a terminal, and rich to draw it; lines, if not."""
    terminal = sys.__stderr__  # a bar steers it, as the stream of messages cannot
    if terminal is None or terminal.closed or not terminal.isatty() or find_spec("rich") is None:
        return ProgressLines()
    from rich.console import Console

    return ProgressBar(METRICS, Console(file=terminal))


def _loggers(config: RunConfig, folder: RunFolder) -> list[Callback]:
    logging, loggers = config.logging, list[Callback]()
    if logging.tensorboard:
        events = TensorBoardLoggerConfig(log_dir=str(folder.events))
        loggers.append(TensorBoardLoggerCallback(events))
    if logging.wandb:
        run: dict[str, Any] = {"config": config.to_dict(), "log_dir": str(folder.path)}
        settings = WandbLoggerConfig(project=logging.project, name=config.name, **run)
        loggers.append(WandbLoggerCallback(settings))
    return loggers


def _train(trainer: Trainer, data: Prepared, folder: RunFolder) -> None:
    """Train to the end of the run."""
    config = data.config
    try:
        with warnings.catch_warnings():
            # The health report says so.
            warnings.filterwarnings("ignore", "the run ended at step")
            trainer.train(
                training_batch(data.train, config),
                config.training.epochs,
                config.training.batch_size,
                val_data=training_batch(data.held_out, config),
            )
    except NonFiniteError as error:
        text = f"{sentence(error)[:-1]}; a lower training.learning_rate may help."
        raise CommandError(text, FAILED) from error
    except (CheckpointError, OSError) as error:
        raise CommandError(sentence(error), FAILED) from error
    except (ValueError, TypeError, KeyError) as error:
        raise CommandError(sentence(error)) from error
    except KeyboardInterrupt as error:
        resume = shell_command("train", "--resume", str(folder.path))
        advice = f"{resume} goes on" if folder.has_checkpoints else "nothing was saved yet"
        text = f"interrupted in epoch {trainer.epoch + 1}; {advice}."
        raise CommandError(text, INTERRUPTED) from error
