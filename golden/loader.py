"""Reading cases: pairs of a YAML file, which says what is called, and an npz file of arrays.

Two layouts are read. In the first, a group maps a case to `function`, `options`, `inputs` and
`outputs`; in the second it has `description` and `cases`, a case says in entries of its own what
was called, like `call` and `config`, and its function is the recorded system and the group, like
`avitai-artifex.kl_loss`. An array is declared as `f32[2, 3]` and stored in the npz file as
`group/case/in/name` or `group/case/out/name`; a small one may stand in the YAML file itself, as
`{dtype: f32, data: [...]}`. Nothing is read before its size is known to be the declared one.
"""

import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from golden.arrays import Array, dtype_of
from golden.case import Case, is_meant
from golden.document import UnreadableError, read_yaml, sentence
from golden.npz import ArrayFile

_HERE = Path(__file__).parent
SHIPPED = (_HERE / "fixtures", _HERE / "cases")
"""Recorded from real systems, and written by hand."""

_NOT_TOLD = ("inputs", "outputs", "notes", "import")


def load(folders: tuple[Path, ...] = SHIPPED, pattern: str = "*") -> list[Case]:
    """The cases of all YAML files in some folders whose id, or source:id, matches a glob.

    Raises:
        UnreadableError: a folder has no cases, or one of its files cannot be read.
    """
    return [
        case for folder in folders for file in files_in(folder) for case in _read(file, pattern)
    ]


def files_in(folder: Path) -> list[Path]:
    """The YAML files of a folder.

    Raises:
        UnreadableError: there is none.
    """
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not files:
        raise UnreadableError(f"{folder}: there is no YAML file of cases here")
    return files


def _read(file: Path, pattern: str) -> Iterator[Case]:
    content = read_yaml(file)
    with ArrayFile(file.with_suffix(".npz")) as arrays:
        for group, members in groups_of(file, content).items():
            for name, entry in members.items():
                path = f"{group}/{name}"
                if is_meant(file.stem, path, pattern):
                    try:
                        yield case_of(file.stem, group, name, entry, arrays)
                    except (ValueError, TypeError) as error:
                        raise UnreadableError(f"{file}: {path}: {sentence(error)}") from error


def groups_of(file: Path, content: object) -> Mapping[str, Mapping[str, Any]]:
    """The groups that a file's content has: names of cases to their entries, in the first layout.

    Raises:
        UnreadableError: it has no groups, or one of them no entries.
    """
    groups = content.get("groups") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(groups, dict):
        raise UnreadableError(f"{file}: there are no `groups` in it")
    members = {}
    for group, entry in groups.items():
        described = isinstance(entry, dict) and "cases" in entry
        entries = entry["cases"] if described else entry
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            raise UnreadableError(f"{file}: {group}: not a mapping of names to cases")
        if described:
            function = f"{_recorded_system(file, content)}.{group}"
            entries = {name: _as_first_layout(function, e) for name, e in entries.items()}
        members[group] = entries
    return members


def _recorded_system(file: Path, content: Mapping[str, Any]) -> str:
    provenance = content.get("provenance")
    name = provenance.get("implementation") if isinstance(provenance, dict) else None
    if not isinstance(name, str) or not name.split():
        raise UnreadableError(
            f"{file}: groups of `cases` need the name `provenance.implementation`"
        )
    return name.split()[0]


def _as_first_layout(function: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    options = {name: value for name, value in entry.items() if name not in _NOT_TOLD}
    arrays = {name: entry[name] for name in ("inputs", "outputs") if name in entry}
    return {"function": function, "options": options, "why": entry.get("notes"), **arrays}


def case_of(
    source: str, group: str, name: str, entry: Mapping[str, Any], arrays: ArrayFile
) -> Case:
    """The case that an entry of the first layout is.

    Raises:
        ValueError: it does not fit the layout, or its arrays.
        UnreadableError: the arrays' file cannot be read.
    """
    path = f"{group}/{name}"
    function = entry.get("function") or group
    if not isinstance(function, str):
        raise ValueError(f"function must be a name, not {reprlib.repr(function)}")
    return Case(
        source=source,
        group=str(group),
        name=str(name),
        function=function,
        options=dict(entry.get("options") or {}),
        inputs=_arrays_of(entry, "inputs", f"{path}/in", arrays),
        outputs=_arrays_of(entry, "outputs", f"{path}/out", arrays),
        why=str(entry.get("why") or ""),
    )


def _arrays_of(
    entry: Mapping[str, Any], section: str, path: str, arrays: ArrayFile
) -> Mapping[str, Array]:
    declared = entry.get(section, {})
    if not isinstance(declared, dict) or (section == "outputs" and not declared):
        given = reprlib.repr(declared)
        raise ValueError(f"{section} must be a mapping of names to arrays, not {given}")
    for name in declared:
        if not isinstance(name, str):
            raise ValueError(f"{section} must have names, not {name!r}")
    return {
        name: _inline(array) if isinstance(array, dict) else arrays.read(f"{path}/{name}", array)
        for name, array in declared.items()
    }


def _inline(entry: Mapping[str, object]) -> Array:
    if entry.keys() != {"dtype", "data"}:
        raise ValueError(
            f"an array in place has a dtype and data, not {', '.join(map(str, entry))}"
        )
    data, dtype = np.array(entry["data"]), dtype_of(entry["dtype"])
    kinds = {"b": "b", "i": "iu", "u": "iu"}.get(dtype.kind, "iuf")
    if data.size and data.dtype.kind not in kinds:
        raise ValueError(f"data of {entry['dtype']} must be numbers of its kind, not {data.dtype}")
    array = data.astype(dtype)
    if dtype.kind in "iu" and not np.array_equal(array, data):
        raise ValueError(f"data does not fit into {entry['dtype']}")
    return array
