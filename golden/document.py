"""Reading YAML that others wrote: bounded, without aliases, and no name twice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 2**26


class UnreadableError(Exception):
    """A file that cannot be used, and why, in one sentence."""


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML's safe loader, which also refuses a name that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping, if its names differ."""
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(found) < len(node.value):
            names = [self.construct_object(key, deep=True) for key, _ in node.value]
            twice = next(name for name in names if names.count(name) > 1)
            raise yaml.constructor.ConstructorError(
                None, None, f"{twice!r} stands twice", node.start_mark
            )
        return found


def read_yaml(file: Path) -> object:
    """What a YAML file says, None where it says nothing.

    Raises:
        UnreadableError: it is missing, larger than 64 MiB, no YAML, has aliases, or a name twice.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise UnreadableError(f"{file}: larger than {_MOST_BYTES} bytes")
        text = file.read_bytes()
        loader = _StrictLoader(text)
        try:
            root = loader.get_single_node()
            if _has_alias(root):  # a few of them can stand for millions of values
                events = yaml.parse(text, Loader=_StrictLoader)
                alias = next(event for event in events if isinstance(event, yaml.AliasEvent))
                raise UnreadableError(f"{file}: aliases like *{alias.anchor} are not read")
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except OSError as error:
        raise UnreadableError(f"{file}: {sentence(error)}") from error
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:
        raise UnreadableError(f"{file}: not YAML: {sentence(error)}") from error


def mapping_of(value: object) -> Mapping[Any, Any]:
    """The value where it is a mapping, else one of nothing."""
    return value if isinstance(value, dict) else {}


def sentence(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _has_alias(root: yaml.Node | None) -> bool:
    """Whether a node stands in two places, as only an alias makes it."""
    waiting, seen = [] if root is None else [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            return True
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += (part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    return False
