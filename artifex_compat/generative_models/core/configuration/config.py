"""What every configuration is: checked when it is made, and read from mappings and YAML."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, get_args, get_type_hints

from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    mapping,
    strings,
    text,
)
from artifex_compat.generative_models.core.configuration.yaml_text import parsed
from edifice_py import checks
from edifice_py.interchange import disk


@dataclass(frozen=True, kw_only=True)
class Config:
    """A frozen dataclass whose fields are checked, by the check in their metadata, when it is made.

    Raises:
        TypeError: there is no field of a name; the sentence names the nearest.
        ValueError: a field holds what it cannot; the sentence names the field and what is allowed.
    """

    def __new__(cls, *args: object, **given: object) -> Self:  # noqa: ARG004 # __init__ takes them
        """A configuration whose names are checked before `__init__`, which dataclasses write."""
        checks.options(cls.__name__, given, [item.name for item in fields(cls)])
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for item in fields(self):
            if check := item.metadata.get("check"):
                value = check(item.name, getattr(self, item.name))
                object.__setattr__(self, item.name, value)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """A configuration from names and values, as from `to_dict`; it may be nested.

        Raises:
            TypeError: `data` is no mapping, lacks a field or has one that is unknown.
            ValueError: a field holds what it cannot.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"data must be a mapping of names to values, not {data!r}.")
        checks.options(cls.__name__, data, [item.name for item in fields(cls)])
        hints = get_type_hints(cls)
        return cls(**{name: _nested(hints[name], value) for name, value in data.items()})

    def to_dict(self) -> dict[str, Any]:
        """Names and values; a nested configuration is a dictionary too."""
        return asdict(self)

    @classmethod
    def from_yaml(cls, path: str | Path) -> Self:
        """A configuration from a YAML file, as from `to_yaml`.

        Raises:
            OSError: there is no such file.
            TypeError, ValueError: it is not YAML, or as in `from_dict`.
        """
        try:
            data = parsed(Path(path).expanduser().read_text(encoding="utf-8"))
        except ValueError as error:  # UnicodeDecodeError is one
            raise ValueError(f"{path} is not YAML: {error}") from error
        return cls.from_dict(data)

    def to_yaml(self, path: str | Path) -> None:
        """Write a YAML file that `from_yaml` reads; it is there as a whole, or not at all."""
        import yaml

        text = yaml.safe_dump(_plain(self.to_dict()), sort_keys=False)
        disk.write(Path(path).expanduser(), text.encode())


@dataclass(frozen=True, kw_only=True)
class BaseConfig(Config):
    """A configuration with a name, and what a user wants to note beside it."""

    name: str = field(metadata=checked(text))
    description: str = ""
    tags: tuple[str, ...] = field(default=(), metadata=checked(strings))
    metadata: dict[str, Any] = field(default_factory=dict, metadata=checked(mapping))


def _nested(hint: Any, value: Any) -> Any:
    """`value`, made a configuration where the field holds one and a mapping is given."""
    kinds = [kind for kind in (hint, *get_args(hint)) if isinstance(kind, type)]
    configs = [kind for kind in kinds if issubclass(kind, Config)]
    return configs[0].from_dict(value) if configs and isinstance(value, Mapping) else value


def _plain(value: Any) -> Any:
    """`value` with lists for tuples, which YAML has no word for."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
