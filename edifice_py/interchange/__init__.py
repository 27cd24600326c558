"""Weights in and out: files of `Nx.serialize`, which Elixir reads, and of safetensors."""

from edifice_py.interchange.architecture import Architecture as Architecture
from edifice_py.interchange.architecture import fitted as fitted
from edifice_py.interchange.architecture import recognised as recognised
from edifice_py.interchange.errors import InterchangeError as InterchangeError
from edifice_py.interchange.external_term import Atom as Atom
from edifice_py.interchange.formats import load as load
from edifice_py.interchange.formats import read as read
from edifice_py.interchange.formats import save as save
from edifice_py.interchange.inspection import inspect as inspect

__all__ = [
    "Architecture",
    "Atom",
    "InterchangeError",
    "fitted",
    "inspect",
    "load",
    "read",
    "recognised",
    "save",
]
