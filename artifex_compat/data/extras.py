"""Packages that only an extra installs, imported where they are needed."""

from importlib import import_module
from typing import Any


def extra_module(name: str, package: str, purpose: str, *, extra: str = "evaluate") -> Any:
    """A module of a package that an extra installs.

    Args:
        name: of the module, like "sklearn.metrics".
        package: its name on the index, like "scikit-learn".
        purpose: what needs it, the beginning of the sentence where it is missing.
        extra: which one installs it.

    Raises:
        ImportError: it is not installed; the sentence names the extra.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{purpose} needs {package}: install it with pip install 'edifice-py[{extra}]'."
        ) from error
