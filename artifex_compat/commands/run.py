"""A run: its folder, its environment and its model."""

import fcntl
import os
import platform
import re
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

import jax
import optax
from flax import nnx

from artifex_compat.commands.configuration import CAPACITY, VQ, RunConfig, build_config
from artifex_compat.commands.errors import CommandError, command_errors, sentence
from artifex_compat.evaluation.score import library_versions
from artifex_compat.generative_models.core.configuration import ModelConfiguration
from artifex_compat.generative_models.models.vae import VAE, create_vae_model
from artifex_compat.generative_models.training import Trainer, VAETrainer
from artifex_compat.generative_models.training.callbacks.history import as_json
from artifex_compat.generative_models.training.checkpoints import CheckpointError
from edifice_py.interchange import disk

History: TypeAlias = Sequence[Mapping[str, Any]]
ROOT, LOCK = Path("runs"), ".lock"
LIBRARIES = ("flax", "optax", "orbax-checkpoint", "jaxlib", "matplotlib")


class RunFolder:
    """The files of a run.

    Args:
        path: where they are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config, self.report = path / "config.yaml", path / "report.html"
        self.scores, self.environment = path / "scores.json", path / "environment.json"
        self.lines, self.table = path / "metrics.jsonl", path / "metrics.csv"
        self.checkpoints, self.figures = path / "checkpoints", path / "figures"
        self.events = path / "tensorboard"

    @property
    def has_checkpoints(self) -> bool:
        """Whether a run can be resumed."""
        return self.checkpoints.is_dir() and any(
            path.name.isdigit() for path in self.checkpoints.iterdir()
        )

    def read_config(self) -> RunConfig:
        """The configuration that the run was made from.

        Raises:
            CommandError: there is none, or it is broken.
        """
        if not self.config.is_file():
            raise CommandError(
                f"{self.path} must be the folder of a run, with its config.yaml, and has none."
            )
        return build_config(self.config, ())


@contextmanager
def locked(path: Path, option: str) -> Iterator[RunFolder]:
    """The folder of a run, locked against other processes.

    Args:
        path: of the folder, which is there.
        option: that named it.

    Raises:
        CommandError: another process writes to it, or what would be written is a link elsewhere.
    """
    with command_errors():
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        number = os.open(path / LOCK, flags, 0o666)
    try:
        with command_errors():
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CommandError(
                    f"{option} {path}: another process writes to this folder; wait for its end."
                ) from error
            for file in path.rglob("*"):
                if file.is_symlink():
                    raise CommandError(
                        f"{option} {path}: {file} is a link, which is never written through; "
                        "put what it leads to in its place."
                    )
        yield RunFolder(path)
    finally:
        os.close(number)


@contextmanager
def new_folder(path: Path | None, name: str) -> Iterator[RunFolder]:
    """A new folder for a run, locked; an error removes it if it is still empty.

    Args:
        path: where the user wants it; below `runs`, with the first free number, where not given.
        name: of the run.

    Raises:
        CommandError: there is something in it, another run begins there, or it cannot be made.
    """
    with command_errors():
        if path is None:
            path = _numbered(name)
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise CommandError(f"--out must be a path in UTF-8, not {str(path)!r}.") from error
        path.mkdir(parents=True, exist_ok=True)
        files = [file for file in path.iterdir() if file.name != LOCK]
    if files:
        raise CommandError(
            f"--out must be a new or an empty folder, and {path} is not empty; "
            f"--resume {path} goes on with the run that is there."
        )
    with locked(path, "--out") as folder:
        try:
            yield folder
        except Exception:
            if [file.name for file in path.iterdir()] == [LOCK]:
                (path / LOCK).unlink()
                path.rmdir()
            raise


def _numbered(name: str) -> Path:
    short = re.sub(r"[^\w-]+", "-", name).strip("-") or "run"
    ROOT.mkdir(exist_ok=True)
    number = 1
    while True:
        try:  # making it takes it: two runs that start at once get two folders
            (ROOT / f"{short}-{number}").mkdir()
        except FileExistsError:
            number += 1
        else:
            return ROOT / f"{short}-{number}"


def write(path: Path, content: bytes) -> None:
    """Write a file of a run as a whole: a kill leaves the old one or the new one.

    Raises:
        CommandError: there is a link in its place.
        OSError: it cannot be written.
    """
    if path.is_symlink():
        raise CommandError(f"{path} is a link, which is never written through: remove it first.")
    disk.write(path, content)


def write_json(path: Path, content: Any) -> None:
    """Write JSON with a line for each value."""
    write(path, f"{as_json(content, indent=2)}\n".encode())


def describe_environment(arguments: Sequence[str]) -> dict[str, Any]:
    """The command, the time, the machine, and the versions of the libraries.

    Args:
        arguments: of the command line.
    """
    versions = dict(library_versions())
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return {
        "command": shell_command(*arguments),
        "started": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "devices": [f"{device.platform}: {device.device_kind}" for device in jax.devices()],
        "versions": dict(sorted(versions.items())),
    }


def shell_command(*arguments: str) -> str:
    """A command of ours as a shell takes it."""
    return shlex.join(("python", "-m", "artifex_compat", *arguments))


def build(config: RunConfig, callbacks: Sequence[Any] = ()) -> tuple[VAE, Trainer]:
    """The untrained model of a run whose data are known, and its trainer, with Adam.

    A model that holds its KL to a capacity has that in its own loss; the others are trained by
    `VAETrainer`.

    Raises:
        TypeError, ValueError: an option does not fit the others.
    """
    section, training = config.model, config.training
    parameters: dict[str, Any] = {
        "encoder_features": section.hidden_dims,
        "decoder_features": section.decoder_hidden_dims or section.hidden_dims[::-1],
        "activation": section.activation,
        "output_activation": section.output_activation,
        **section.options,
    }
    if section.type == CAPACITY:
        parameters["use_capacity_control"] = True
    if section.type in (CAPACITY, VQ):
        parameters["reconstruction_loss_type"] = training.loss_type
    configuration = ModelConfiguration(
        model_name=str(config.name),
        model_type=section.type,
        input_shape=section.input_shape,
        architecture=section.architecture,
        latent_dim=section.latent_dim,
        parameters=parameters,
    )
    model = create_vae_model(configuration, rngs=nnx.Rngs(training.seed))
    optimizer = nnx.Optimizer(model, optax.adam(training.learning_rate), wrt=nnx.Param)
    options: dict[str, Any] = {"seed": training.seed, "callbacks": callbacks}
    if section.type != CAPACITY:
        options |= {"loss": VAETrainer(training), "loss_type": training.loss_type}
    return model, Trainer(model, optimizer, **options)


def load(folder: RunFolder, step: int | str | None = None) -> tuple[RunConfig, VAE, History]:
    """A trained model, from a checkpoint of its run.

    Args:
        folder: of the run.
        step: that of the checkpoint, or "best"; None for the newest.

    Returns:
        The configuration of the run, the model, and a row for each epoch until then.

    Raises:
        CommandError: the folder has no such checkpoint.
    """
    config = folder.read_config()
    with command_errors():
        model, trainer = build(config)
    with warnings.catch_warnings():
        # Loggers have states in a checkpoint, and only training has loggers.
        warnings.filterwarnings("ignore", "the checkpoint has the state of")
        restore(trainer, folder, step)
    return config, model, trainer.history


def restore(trainer: Trainer, folder: RunFolder, step: int | str | None = None) -> None:
    """Go back to a checkpoint of a run.

    Raises:
        CommandError: there is none that is whole and of such a model.
    """
    try:
        with command_errors():
            trainer.restore(folder.checkpoints, step)
    except CheckpointError as error:
        raise CommandError(f"{sentence(error)}.") from error
