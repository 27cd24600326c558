"""YAML, read safely, with the numbers that everybody writes."""

import re
from functools import cache
from typing import Any

# YAML 1.1, which PyYAML reads, takes 1e-3 for a word: it wants 1.0e-3.
_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")


def parsed(text: str) -> Any:
    """What a text of YAML says; 1e-3 is a number.

    Raises:
        ValueError: it is no YAML, too deep, has aliases, or a name twice in one mapping.
    """
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 # a SafeLoader
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except Exception as error:
        # Its constructors raise a dozen kinds of errors where a value does not fit its tag.
        raise ValueError(" ".join(str(error).split())) from error


@cache
def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """A safe loader of its own, so that no other one changes."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            """A node that stands for itself: a few aliases can stand for millions of values."""
            if self.check_event(yaml.AliasEvent):
                name = self.peek_event().anchor  # type: ignore[no-untyped-call]
                raise ValueError(f"aliases like *{name} are not read.")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            """A mapping whose names differ."""
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            if len(found) < len(node.value):
                names = [self.construct_object(key, deep=True) for key, _ in node.value]
                twice = next(name for name in names if names.count(name) > 1)
                raise ValueError(f"{twice!r} stands twice.")
            return found

    first = list("-+0123456789")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, first)
    return Loader
