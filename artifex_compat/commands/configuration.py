"""The configuration of a run: its sections, and where they are read from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from artifex_compat.commands.errors import CommandError, refusing, shortened
from artifex_compat.commands.sections import (
    CAPACITY,
    VQ,
    DataSection,
    EvaluationSection,
    LoggingSection,
    ModelSection,
    Section,
    TrainingSection,
)
from artifex_compat.generative_models.core.configuration.checks import mapping, text
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.core.configuration.vae_config import (
    RECONSTRUCTION_LOSS_TYPES,
)
from artifex_compat.generative_models.core.configuration.yaml_text import parsed
from edifice_py import checks

_MOST_LETTERS = 100


@dataclass(frozen=True, kw_only=True)
class RunConfig(Config):
    """All that a run is made from.

    Attributes:
        name: what the user calls it; the data and the type of the model where not given.
        data, model, training, evaluation, logging: its sections.

    Raises:
        ValueError: two sections do not fit, or one sets what has no part in such a run.
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
        """Names and values of what has a part in this run.

        Raises:
            ValueError: something else was set.
        """
        found: dict[str, Any] = {"name": self.name}
        for name in SECTIONS:
            section: Section = getattr(self, name)
            kind = self.data.source if name == "data" else self.model.type
            try:
                found[name] = section.kept(kind)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return found

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


def configured(file: Path | None, settings: Sequence[str]) -> RunConfig:
    """The configuration of a file, with settings over it.

    Args:
        file: YAML, None for the defaults.
        settings: each "section.name=value", whose value is YAML.

    Raises:
        CommandError: one of them is wrong.
    """
    return _made(_with({} if file is None else _read(file), settings))


def changed(config: RunConfig, settings: Sequence[str]) -> RunConfig:
    """A configuration with settings over it, as `configured`.

    Raises:
        CommandError: one of them is wrong.
    """
    return _made(_with(config.to_dict(), settings)) if settings else config


def _read(file: Path) -> Mapping[str, Any]:
    """The sections that a file has."""
    with refusing(where=f"--config {file}: "):
        found = parsed(file.read_text(encoding="utf-8"))
        if found is None:
            raise ValueError("it is empty, and must have at least one section.")
        if not isinstance(found, Mapping):
            raise ValueError(f"it must be sections of names and values, not {found!r}.")
        checks.options("the configuration", found, [item.name for item in fields(RunConfig)])
        return {name: mapping(name, v) if name in SECTIONS else v for name, v in found.items()}


def _made(data: Any) -> RunConfig:
    found: dict[str, Any] = {}
    for name, value in data.items():
        with refusing(where=f"{name}: "):
            found[name] = SECTIONS[name].from_dict(value) if name in SECTIONS else value
    with refusing():
        config = RunConfig(**found)
    with refusing(where="data: "):
        # A configuration that is used again from another folder must find the same files.
        places: dict[str, Any] = {n: _absolute(getattr(config.data, n)) for n in ("file", "labels")}
        return replace(config, data=replace(config.data, **places))


def _absolute(place: str | None) -> str | None:
    return None if place is None else str(Path(place).expanduser().absolute())


def _with(data: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    found = {name: dict(v) if isinstance(v, Mapping) else v for name, v in data.items()}
    for setting in settings:
        match = re.fullmatch(r"(?:([^.=\s]+)\.)?([^.=\s]+)=(.*)", setting, re.DOTALL)
        if match is None:
            raise CommandError(
                "--set must be section.name=value, like training.beta=4, "
                f"not {shortened(repr(setting))}."
            )
        section, name, words = match.groups()
        with refusing(where=f"--set {shortened(repr(setting))}: "):
            value = parsed(words)
            if section is None:
                checks.choice("a name without a section", name, ("name",))
                found[name] = value
            else:
                checks.choice("the section", section, SECTIONS)
                found.setdefault(section, {})[name] = value
    return found
