"""The trained model of a run, from its folder."""

import warnings
from typing import Any, NamedTuple

from artifex_compat.commands.building import model_of, trainer_of
from artifex_compat.commands.configuration import RunConfig
from artifex_compat.commands.errors import CommandError, refusing, sentence
from artifex_compat.commands.run_folder import RunFolder
from artifex_compat.generative_models.models.vae import VAE
from artifex_compat.generative_models.training import Trainer
from artifex_compat.generative_models.training.checkpoints import CheckpointError


class Trained(NamedTuple):
    """A run that is over.

    Attributes:
        config: what it was made from.
        model: as it was at the checkpoint.
        history: a row for each epoch until then.
    """

    config: RunConfig
    model: VAE
    history: list[dict[str, Any]]


def trained(folder: RunFolder, step: int | str | None = None) -> Trained:
    """The model of a run, from a checkpoint.

    Args:
        folder: of the run.
        step: that of the checkpoint, or "best"; None for the newest.

    Raises:
        CommandError: the folder has no such thing.
    """
    config = folder.read_config()
    with refusing():
        model = model_of(config)
        trainer = trainer_of(config, model)
    with warnings.catch_warnings():
        # Loggers have states in a checkpoint, and only training has loggers.
        warnings.filterwarnings("ignore", "the checkpoint has the state of")
        restore(trainer, folder, step)
    return Trained(config, model, trainer.history)


def restore(trainer: Trainer, folder: RunFolder, step: int | str | None = None) -> None:
    """Go back to a checkpoint of a run.

    Raises:
        CommandError: there is none that is whole and of such a model.
    """
    try:
        with refusing():
            trainer.restore(folder.checkpoints, step)
    except CheckpointError as error:
        raise CommandError(f"{sentence(error)}.") from error
