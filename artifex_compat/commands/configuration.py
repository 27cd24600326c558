"""The configuration of a run: its sections, and where they are read from."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from artifex_compat.commands.errors import CommandError, command_errors, shorten
from artifex_compat.data.outlines import OUTLINES
from artifex_compat.evaluation.disentanglement import METRICS
from artifex_compat.generative_models.core.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS
from artifex_compat.generative_models.core.configuration.checks import (
    Check,
    checked,
    count,
    flag,
    mapping,
    one_of,
    optional,
    positive,
    probability,
    some_sizes,
    strings,
    text,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.core.configuration.model_config import ARCHITECTURES
from artifex_compat.generative_models.core.configuration.vae_config import (
    RECONSTRUCTION_LOSS_TYPES,
    VAEConfig,
)
from artifex_compat.generative_models.core.configuration.yaml_text import parsed
from artifex_compat.generative_models.models.vae.factory import MODELS
from artifex_compat.generative_models.training.trainers.vae_trainer import (
    RECONSTRUCTION_ERRORS,
    VAETrainingConfig,
)
from edifice_py.checks import choice, integer, options, positive_int

SOURCES = ("digits", "sprites", "npz", "idx", "folder")
CAPACITY, CONDITIONAL, VQ = "beta_vae_with_capacity", "conditional_vae", "vqvae"
_WEIGHED = tuple(kind for kind in MODELS if kind not in (CAPACITY, VQ))
_MOST_SEED, _MOST_LETTERS = 2**32 - 1, 100

SectionT = TypeVar("SectionT", bound="Section")


def _option(default: Any, check: Check, *kinds: str) -> Any:
    """A field with its check, which applies to these kinds of data or models, or to all."""
    only = {"only": kinds} if kinds else {}
    return field(default=default, metadata={**checked(check), **only})


def _several(allowed: Any) -> Check:
    return lambda name, value: tuple(choice(name, one, allowed) for one in strings(name, value))


def _seed(name: str, value: object) -> int:
    number = integer(value)
    if number is None or not 0 <= number <= _MOST_SEED:
        raise ValueError(f"{name} must be an integer from 0 to {_MOST_SEED}, not {value!r}.")
    return number


def _two_sizes(name: str, value: object) -> tuple[int, ...]:
    sizes = some_sizes(name, value)
    if len(sizes) != 2:
        raise ValueError(f"{name} must be [height, width], not {value!r}.")
    return sizes


@dataclass(frozen=True, kw_only=True)
class Section(Config):
    """A part of a run's configuration, some of whose fields apply to one kind of run only."""

    def applicable(self, kind: str) -> dict[str, Any]:
        """Names and values of the fields that apply to a kind.

        Args:
            kind: of data or of model.

        Raises:
            ValueError: another field was set.
        """
        values = {}
        for item in fields(self):
            value, kinds = getattr(self, item.name), item.metadata.get("only", (kind,))
            if kind in kinds:
                values[item.name] = value
            elif value != item.default:
                raise ValueError(
                    f"{item.name} has no part in {kind}, only in {', '.join(kinds)}: leave it out."
                )
        return values


def _with_options(
    configs: Mapping[str, type[Config]], without: Collection[str] = (), **defaults: Any
) -> Callable[[type[SectionT]], type[SectionT]]:
    """A decorator that makes the options of configurations fields of a section.

    Args:
        configs: by the kind of model that they belong to.
        without: options that do not become fields.
        **defaults: those of the command line, where they are not the configuration's.
    """

    def add(section: type[SectionT]) -> type[SectionT]:
        for item in (item for config in configs.values() for item in fields(config)):
            if item.name not in without:
                kinds = [kind for kind, config in configs.items() if hasattr(config, item.name)]
                check, default = item.metadata["check"], defaults.get(item.name, item.default)
                check = optional(check) if default is None else check
                section.__annotations__[item.name] = item.type
                setattr(section, item.name, _option(default, check, *kinds))
        return section

    return add


@dataclass(frozen=True, kw_only=True)
class DataSection(Section):
    """What a model is trained on.

    Attributes:
        source: "digits", "sprites", or the user's own "npz", "idx" or "folder" of pictures.
        examples: how many to take, at random; all where not given.
        held_out: the share of them that validates and evaluates, above 0 and below 1.
        seed: names the choice of examples and of those that are held out.
        size, shapes, scales, orientations, positions: of sprites, see `data.Sprites`.
        file: of the user's own data, the file or the folder.
        labels: of "idx", the file of labels.
        images, factors: of "npz", the names of the arrays, see `data.read_npz`.
        image_size: of a "folder", `[height, width]` to bring all pictures to.
        channels: of a "folder", 1 for grey or 3 for colour; colour if there is any where not given.
    """

    source: str = _option("digits", one_of(SOURCES))
    examples: int | None = _option(None, optional(positive_int))
    held_out: float = _option(0.2, probability)
    seed: int = _option(0, _seed)
    size: int = _option(32, positive_int, "sprites")
    shapes: tuple[str, ...] = _option(tuple(OUTLINES), _several(OUTLINES), "sprites")
    scales: int = _option(6, positive_int, "sprites")
    orientations: int = _option(40, positive_int, "sprites")
    positions: int = _option(32, positive_int, "sprites")
    file: str | None = _option(None, optional(text), "npz", "idx", "folder")
    labels: str | None = _option(None, optional(text), "idx")
    images: str | None = _option(None, optional(text), "npz")
    factors: str | None = _option(None, optional(text), "npz")
    image_size: tuple[int, ...] | None = _option(None, optional(_two_sizes), "folder")
    channels: int | None = _option(None, optional(positive_int), "folder")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source in ("npz", "idx", "folder") and self.file is None:
            raise ValueError(f"file must be given for source {self.source!r}.")


@dataclass(frozen=True, kw_only=True)
@_with_options(
    {kind: model.config_class for kind, model in MODELS.items()},
    # The training section sets these, or the commands do.
    without=(
        *(item.name for item in fields(VAEConfig)),
        *("beta_default", "beta_warmup_steps", "reconstruction_loss_type"),
        *("use_capacity_control", "condition_dim"),
    ),
    num_embeddings=64,
    embedding_dim=None,
)
class ModelSection(Section):
    """What is trained.

    Attributes:
        type: a type of `ModelConfiguration`.
        architecture: "mlp", "cnn" or "resnet".
        latent_dim: width of a latent vector.
        hidden_dims: widths of the encoder's layers, or channels, in the order in which they run.
        decoder_hidden_dims: the same of the decoder; the encoder's in reverse where not given.
        activation: after each of them.
        output_activation: after the decoder's last layer.
        input_shape: shape of one example; that of the data where not given.
        condition: the factor that is the condition, by its name; the first where not given.

    The options of `BetaVAEWithCapacityConfig`, `ConditionalVAEConfig` and `VQVAEConfig` are fields
    too. Where they are not given, the number of classes is that of the data, and the width of a
    code is `latent_dim`.
    """

    type: str = _option("beta_vae", one_of(MODELS))
    architecture: str = _option("mlp", one_of(ARCHITECTURES))
    latent_dim: int = _option(10, positive_int)
    hidden_dims: tuple[int, ...] = _option((256, 128), some_sizes)
    decoder_hidden_dims: tuple[int, ...] | None = _option(None, optional(some_sizes))
    activation: str = _option("relu", one_of(ACTIVATIONS))
    output_activation: str = _option("sigmoid", one_of(OUTPUT_ACTIVATIONS))
    input_shape: tuple[int, ...] | None = _option(None, optional(some_sizes))
    condition: str | None = _option(None, optional(text), CONDITIONAL)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the model's own configuration that are set."""
        own = {item.name for item in fields(MODELS[self.type].config_class)}
        values = self.applicable(self.type)
        return {n: value for n, value in values.items() if n in own and value is not None}


@dataclass(frozen=True, kw_only=True)
@_with_options(dict.fromkeys(_WEIGHED, VAETrainingConfig), beta=0.3, kl_warmup_steps=300)
class TrainingSection(VAETrainingConfig, Section):
    """How it is trained.

    The fields of `VAETrainingConfig` do not apply to a model that holds its KL to a capacity, nor
    to a VQ-VAE.

    Attributes:
        epochs: how many.
        batch_size: examples in a batch.
        learning_rate: of Adam.
        loss_type: "bce", "mse" or "mae".
        seed: of the weights, the noise and the order of the examples.
        checkpoint_every: epochs from one checkpoint to the next; a tenth of all where not given.
    """

    epochs: int = _option(80, positive_int)
    batch_size: int = _option(64, positive_int)
    learning_rate: float = _option(2e-3, positive)
    loss_type: str = _option("bce", one_of(RECONSTRUCTION_ERRORS))
    seed: int = _option(0, _seed)
    checkpoint_every: int | None = _option(None, optional(positive_int))


@dataclass(frozen=True, kw_only=True)
class EvaluationSection(Section):
    """How it is evaluated, on what was held out.

    Attributes:
        examples: how many metrics of disentanglement take, at most.
        metrics: which of them; all that the factors allow where not given.
        log_likelihood_samples: of the importance-weighted estimate; 0 for none.
        log_likelihood_examples: how many examples it takes, the first ones.
        figures: whether to draw.
        seed: of all draws.
    """

    examples: int = _option(10_000, positive_int)
    metrics: tuple[str, ...] | None = _option(None, optional(_several(METRICS)))
    log_likelihood_samples: int = _option(100, count)
    log_likelihood_examples: int = _option(500, positive_int)
    figures: bool = _option(True, flag)
    seed: int = _option(0, _seed)


@dataclass(frozen=True, kw_only=True)
class LoggingSection(Section):
    """Who else hears of the run, beside its folder.

    Attributes:
        tensorboard: write events for TensorBoard into the run's folder.
        wandb: send the metrics to Weights & Biases.
        project: what it is called there.
    """

    tensorboard: bool = _option(False, flag)
    wandb: bool = _option(False, flag)
    project: str = _option("edifice-py", text)


@dataclass(frozen=True, kw_only=True)
class RunConfig(Config):
    """All that a run is made from.

    Attributes:
        name: what the user calls it; the data and the type of the model where not given.
        data, model, training, evaluation, logging: its sections.

    Raises:
        ValueError: two sections do not fit, or one sets what does not apply to such a run.
    """

    name: str | None = None
    data: DataSection = field(default_factory=DataSection)
    model: ModelSection = field(default_factory=ModelSection)
    training: TrainingSection = field(default_factory=TrainingSection)
    evaluation: EvaluationSection = field(default_factory=EvaluationSection)
    logging: LoggingSection = field(default_factory=LoggingSection)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "name", self._named())
        kind = self.model.type
        if kind in (CAPACITY, VQ) and self.training.loss_type not in RECONSTRUCTION_LOSS_TYPES:
            raise ValueError(
                f"training: loss_type must be one of {', '.join(RECONSTRUCTION_LOSS_TYPES)} for a "
                f"{kind}, not {self.training.loss_type!r}."
            )
        self.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """Names and values of what applies to this run.

        Raises:
            ValueError: something else was set.
        """
        values: dict[str, Any] = {"name": self.name}
        for name in SECTIONS:
            section: Section = getattr(self, name)
            try:
                values[name] = section.applicable(
                    self.data.source if name == "data" else self.model.type
                )
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return values

    def _named(self) -> str:
        name = self.name
        if name is None:
            return f"{self.data.source}-{self.model.type}"
        if not text("name", name).isprintable() or len(name) > _MOST_LETTERS:
            raise ValueError(f"name must be at most {_MOST_LETTERS} letters, not {name!r}.")
        return name


SECTIONS: Mapping[str, type[Section]] = {
    "data": DataSection,
    "model": ModelSection,
    "training": TrainingSection,
    "evaluation": EvaluationSection,
    "logging": LoggingSection,
}


def build_config(file: Path | None, settings: Sequence[str]) -> RunConfig:
    """The configuration of a file, with settings over it.

    Args:
        file: YAML, None for the defaults.
        settings: each "section.name=value", whose value is YAML.

    Raises:
        CommandError: one of them is wrong.
    """
    return _build({} if file is None else _read(file), settings)


def change_config(config: RunConfig, settings: Sequence[str]) -> RunConfig:
    """A configuration with settings over it, as `build_config`.

    Raises:
        CommandError: one of them is wrong.
    """
    return _build(config.to_dict(), settings) if settings else config


def _read(file: Path) -> Mapping[str, Any]:
    """The sections that a file has."""
    with command_errors(where=f"--config {file}: "):
        content = parsed(file.read_text(encoding="utf-8"))
        if content is None:
            raise ValueError("it is empty, and must have at least one section.")
        if not isinstance(content, Mapping):
            raise ValueError(f"it must be sections of names and values, not {content!r}.")
        options("the configuration", content, [item.name for item in fields(RunConfig)])
        return {name: mapping(name, v) if name in SECTIONS else v for name, v in content.items()}


def _build(data: Mapping[str, Any], settings: Sequence[str]) -> RunConfig:
    values: dict[str, Any] = {}
    for name, value in _with_settings(data, settings).items():
        with command_errors(where=f"{name}: "):
            values[name] = SECTIONS[name].from_dict(value) if name in SECTIONS else value
    with command_errors():
        config = RunConfig(**values)
    with command_errors(where="data: "):
        # A configuration that is used again from another folder must find the same files.
        paths: dict[str, Any] = {
            name: str(Path(path).expanduser().absolute())
            for name in ("file", "labels")
            if (path := getattr(config.data, name)) is not None
        }
        return replace(config, data=replace(config.data, **paths))


def _with_settings(data: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    values = {name: dict(v) if isinstance(v, Mapping) else v for name, v in data.items()}
    for setting in settings:
        match = re.fullmatch(r"(?:([^.=\s]+)\.)?([^.=\s]+)=(.*)", setting, re.DOTALL)
        if match is None:
            raise CommandError(
                "--set must be section.name=value, like training.beta=4, "
                f"not {shorten(repr(setting))}."
            )
        section, name, value_text = match.groups()
        with command_errors(where=f"--set {shorten(repr(setting))}: "):
            value = parsed(value_text)
            if section is None:
                choice("a name without a section", name, ("name",))
                values[name] = value
            else:
                choice("the section", section, SECTIONS)
                values.setdefault(section, {})[name] = value
    return values
