"""YAML, read safely, with the numbers that everybody writes."""

import re
from functools import cache
from typing import Any

# YAML 1.1, which PyYAML reads, takes 1e-3 for a word: it wants 1.0e-3.
_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")


def parsed(text: str) -> Any:
    """What a text of YAML says; 1e-3 is a number.

    Raises:
        ValueError: it is no YAML, or too deep.
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

    first = list("-+0123456789")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, first)
    return Loader
