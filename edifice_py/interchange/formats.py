"""Weights from and to files, in the format that a file's suffix says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from edifice_py.axon import Model
from edifice_py.checks import choice
from edifice_py.interchange import disk, nx_file, safetensors_file, sidecar
from edifice_py.interchange.architecture import fitted
from edifice_py.interchange.errors import InterchangeError
from edifice_py.interchange.nx_file import NxDocument as NxDocument
from edifice_py.interchange.trees import Tree

FORMATS: Mapping[str, str] = {"nx": "nx", "axon": "nx", "safetensors": "safetensors"}
"""What a suffix, or the name of a format, stands for."""


@dataclass(frozen=True)
class SafetensorsDocument:
    """What a file of safetensors holds.

    Attributes:
        params: the tree of arrays: dictionaries, tuples and numpy arrays.
        metadata: the metadata of the file itself.
    """

    params: Tree
    metadata: Mapping[str, str]


Document = NxDocument | SafetensorsDocument


def load(
    path: str | PathLike[str],
    model: Model | Sequence[Model] | None = None,
    *,
    format: str | None = None,  # noqa: A002 # the word of the command line
) -> Any:
    """The parameters in a file.

    Args:
        path: a file of `Nx.serialize` (`.nx`, `.axon`) or of safetensors (`.safetensors`).
        model: an encoder or a decoder, or several models, whose layers are wanted. They must be in
            the file, in their shapes; a tuple in the file has its members in the models' order.
        format: "nx", "axon" or "safetensors", where the suffix does not say it.

    Returns:
        Nested dictionaries and tuples of numpy arrays, each with the type, shape and bits that it
        has in the file. With a model the parameters for `model.apply`, with several models a tuple
        of these.

    Raises:
        InterchangeError: the file is broken, or holds what is not read, or does not fit the model;
            in one sentence.
        OSError: the file cannot be read.
        ValueError: there is no such format.
        ModuleNotFoundError: the package `safetensors` is wanted and not there.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from edifice_py import vae
        >>> encoder, _ = vae.build(input_size=6, latent_size=2)
        >>> with TemporaryDirectory() as folder:
        ...     save(f"{folder}/encoder.axon", encoder.init(42))
        ...     load(f"{folder}/encoder.axon", encoder)["mu"]["kernel"].shape
        (128, 2)
    """
    params = read(path, format=format).params
    if model is None:
        return params
    try:
        if isinstance(model, Model):
            return fitted(params, model)
        if isinstance(params, tuple) and len(params) == len(model):
            return tuple(map(fitted, params, model))
        return tuple(fitted(params, one) for one in model)
    except InterchangeError as error:
        raise InterchangeError(f"{path}: {error}") from None


def read(path: str | PathLike[str], *, format: str | None = None) -> Document:  # noqa: A002
    """All that is in a file, for `save(..., like=...)` and for what `load` leaves out.

    Args:
        path: as for `load`.
        format: as for `load`.

    Raises:
        InterchangeError, OSError, ValueError, ModuleNotFoundError: as `load`.
    """
    kind = format_of(path, format)
    data = disk.read(Path(path).expanduser())
    try:
        if kind == "nx":
            return nx_file.parse(data)
        return SafetensorsDocument(*safetensors_file.parse(data))
    except InterchangeError as error:
        raise InterchangeError(f"{path}: {error}") from None


def save(
    path: str | PathLike[str],
    params: object,
    *,
    format: str | None = None,  # noqa: A002
    container: str | None = None,
    like: NxDocument | None = None,
    metadata: bool = False,
) -> None:
    """Write parameters into a file, which is there as a whole, or not at all.

    A file of safetensors gets another beside it, `<path>.json`, that says what its numbers mean.

    Args:
        path: a file that ends with `.nx`, `.axon` or `.safetensors`; an old one is replaced.
        params: nested dictionaries and tuples of arrays, of numpy or JAX.
        format: "nx", "axon" or "safetensors", where the suffix does not say it.
        container: for Nx: "model_state" for an `Axon.ModelState`, "map" for plain maps. Where it
            is not given, parameters of layers become the first, those of an encoder and a decoder
            a map of two of them, and all other trees the second.
        like: for Nx, in place of `container`: a file that was read. Only its numbers change:
            frozen parameters, names of axes and all else stay, and equal numbers give equal bytes.
        metadata: for safetensors: put what the other file says into the file's own metadata too,
            for readers in Python. Elixir's reader refuses such a file.

    Raises:
        InterchangeError: the tree cannot be written in this format, in one sentence.
        OSError: the file cannot be written; the old one is as it was.
        ValueError: an option is unknown, or not one of this format.
        ModuleNotFoundError: the package `safetensors` is wanted and not there.
    """
    kind = format_of(path, format)
    given = {"container": container, "like": like, "metadata": metadata or None}
    _check_options(kind, {name for name, value in given.items() if value is not None})
    if kind == "nx":
        document = like.with_params(params) if like else nx_file.document(params, container)
        disk.write(Path(path).expanduser(), document.to_bytes())
        return
    said = sidecar.conventions(params)
    data = safetensors_file.serialize(params, sidecar.as_metadata(said) if metadata else None)
    disk.write(Path(path).expanduser(), data)
    disk.write(sidecar.beside(Path(path).expanduser()), sidecar.text(said))


def format_of(path: str | PathLike[str], format: str | None = None) -> str:  # noqa: A002
    """The format of a file: the one given, or else the one that its suffix says.

    Raises:
        ValueError: there is no such format, or the suffix says none.
    """
    if format is not None:
        return FORMATS[choice("format", format, FORMATS)]
    suffix = Path(path).suffix
    return FORMATS[choice(f"the suffix of {str(path)!r}", suffix.removeprefix("."), FORMATS)]


def _check_options(kind: str, given: set[str]) -> None:
    for name in sorted(given):
        if (name == "metadata") != (kind == "safetensors"):
            raise ValueError(f"{name} is no option for a file of {kind}.")
    if {"container", "like"} <= given:
        raise ValueError("container and like exclude each other: like has a container already.")
