"""What is in a file of weights, for people and for programs."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from edifice_py.interchange import disk, sidecar
from edifice_py.interchange.architecture import Architecture, recognised
from edifice_py.interchange.arrays import BY_DTYPE, Array
from edifice_py.interchange.digest import digest
from edifice_py.interchange.formats import Document, format_of, read
from edifice_py.interchange.nx_file import NxDocument
from edifice_py.interchange.nx_terms import KEPT, ModelState, Node
from edifice_py.interchange.trees import leaves

_HEADINGS = ("array", "type", "shape", "bytes", "NaN", "inf")


@dataclass(frozen=True)
class ArrayReport:
    """One array.

    Attributes:
        name: the names that lead to it, with `/` between them.
        type: Nx's name, like f32.
        shape: its extents.
        nbytes: of its numbers.
        nan: how many numbers are NaN.
        inf: how many are infinite, of either sign.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    nbytes: int
    nan: int
    inf: int


@dataclass(frozen=True)
class Report:
    """A file of weights.

    Attributes:
        path: where it is.
        format: "nx" or "safetensors".
        nbytes: of the whole file.
        form: what the format says beside the arrays.
        arrays: each of them, as the file has them.
        architecture: the VAE that they are of, None where none is recognised.
        digest: `edifice_py.interchange.digest.digest`, the same in every format.
    """

    path: str
    format: str
    nbytes: int
    form: dict[str, Any]
    arrays: tuple[ArrayReport, ...]
    architecture: Architecture | None
    digest: str

    def as_json(self) -> dict[str, Any]:
        """All of it, for JSON."""
        architecture = self.architecture.as_json() if self.architecture else None
        return asdict(self) | {"architecture": architecture}

    def lines(self) -> Iterator[str]:
        """All of it, for people."""
        yield f"{self.path}: {self.format}, {self.nbytes} bytes"
        for name, value in self.form.items():
            yield f"{name}: {value if isinstance(value, str) else json.dumps(value)}"
        rows = [_HEADINGS, *(_row(array) for array in self.arrays)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  ".join(map(str.ljust, row, widths)).rstrip()
        numbers = sum(int(np.prod(array.shape)) for array in self.arrays)
        nan, inf = (sum(getattr(array, kind) for array in self.arrays) for kind in ("nan", "inf"))
        yield f"{len(self.arrays)} arrays, {numbers} numbers, {nan} of them NaN, {inf} infinite"
        sizes = self.architecture.as_json() if self.architecture else {}
        described = ", ".join(
            f"{name}={list(size) if isinstance(size, tuple) else size}"
            for name, size in sizes.items()
        )
        yield f"architecture: {described or 'none of edifice_py'}"
        yield f"digest: {self.digest}"


def inspect(path: str | PathLike[str], *, format: str | None = None) -> Report:  # noqa: A002
    """What is in a file.

    Args:
        path: as for `load`.
        format: as for `load`.

    Raises:
        InterchangeError, OSError, ValueError, ModuleNotFoundError: as `load`.
    """
    document = read(path, format=format)
    params = document.params
    total = digest(params)
    return Report(
        path=str(path),
        format=format_of(path, format),
        nbytes=Path(path).expanduser().stat().st_size,
        form=_form(document, Path(path).expanduser(), total),
        arrays=tuple(_report("/".join(names), array) for names, array in leaves(params)),
        architecture=recognised(params),
        digest=total,
    )


def _report(name: str, array: Array) -> ArrayReport:
    type_ = BY_DTYPE[array.dtype]
    is_float = type_.kind in ("f", "bf")
    nan, inf = (
        int(np.count_nonzero(count(array))) if is_float else 0 for count in (np.isnan, np.isinf)
    )
    return ArrayReport(name, str(type_), array.shape, array.nbytes, nan, inf)


def _row(array: ArrayReport) -> tuple[str, ...]:
    numbers = (str(array.nbytes), str(array.nan), str(array.inf))
    name = array.name if array.name.isprintable() else repr(array.name)
    return (name or "-", array.type, str(list(array.shape)), *numbers)


def _form(document: Document, path: Path, total: str) -> dict[str, Any]:
    if isinstance(document, NxDocument):
        states = {
            name: {kept: getattr(state, kept) for kept in KEPT if kept != "parameters"}
            for name, state in _model_states(document.node, "")
        }
        form = {"endianness": document.endianness, "Axon.ModelState": states or "none"}
        if document.checkpoint:
            packed = ", compressed" if document.checkpoint.compressed else ""
            metadata = len(document.checkpoint.metadata)
            form["Edifice.Checkpoint"] = f"{metadata} bytes of metadata, not read{packed}"
        return form
    return {"metadata": dict(document.metadata), "sidecar": _beside(path, total)}


def _model_states(node: Node, name: str) -> Iterator[tuple[str, ModelState]]:
    if isinstance(node, ModelState):
        yield name or "all", node
    elif isinstance(node, dict | tuple):
        members = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in members:
            yield from _model_states(value, f"{name}/{key}" if name else str(key))


def _beside(path: Path, total: str) -> str:
    """Whether the sidecar is of these weights."""
    try:
        said = json.loads(disk.read(sidecar.beside(path), sidecar.MOST_BYTES))
    except FileNotFoundError:
        return "missing"
    except (OSError, ValueError, RecursionError):
        return "broken"
    fits = isinstance(said, dict) and said.get("digest") == total
    return "fits" if fits else "of other weights"
