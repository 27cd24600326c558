"""Reading cases: pairs of a YAML file, which says what is called, and an npz file of arrays.

Two layouts are read. In the first, a group maps a case to `function`, `options`, `inputs` and
`outputs`; in the second it has `description` and `cases`, a case says in entries of its own what
was called, like `call` and `config`, and its function is the recorded system and the group, like
`avitai-artifex.kl_loss`. An array is declared as `f32[2, 3]` and stored in the npz file as
`group/case/in/name` or `group/case/out/name`; a small one may stand in the YAML file itself, as
`{dtype: f32, data: [...]}`. Nothing is read before its size is known to be the declared one.
"""

import reprlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from golden.arrays import Array, Declaration, dtype_of
from golden.case import Case, is_meant

_HERE = Path(__file__).parent
SHIPPED = (_HERE / "fixtures", _HERE / "cases")
"""Recorded from real systems, and written by hand."""

_MOST_YAML_BYTES = 2**26
_NOT_TOLD = ("inputs", "outputs", "notes", "import")


class UnreadableError(Exception):
    """A file of cases that cannot be used, and why, in one sentence."""


class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
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


def load(folders: tuple[Path, ...] = SHIPPED, pattern: str = "*") -> list[Case]:
    """The cases of all YAML files in some folders whose id, or source:id, matches a glob.

    Raises:
        UnreadableError: a folder has no cases, or one of its files cannot be read.
    """
    cases: list[Case] = []
    for folder in folders:
        files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
        if not files:
            raise UnreadableError(f"{folder}: there is no YAML file of cases here")
        for file in files:
            cases.extend(_read(file, pattern))
    return cases


def _read(file: Path, pattern: str) -> Iterator[Case]:
    content = _content(file)
    with _Arrays(file.with_suffix(".npz")) as arrays:
        for group, members in _groups(file, content).items():
            for name, entry in members.items():
                path = f"{group}/{name}"
                if is_meant(file.stem, path, pattern):
                    try:
                        yield _case(file.stem, group, name, entry, arrays)
                    except (ValueError, TypeError) as error:
                        raise UnreadableError(f"{file}: {path}: {_sentence(error)}") from error


def _groups(file: Path, content: object) -> Mapping[str, Mapping[str, Any]]:
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


def _content(file: Path) -> object:
    try:
        if file.stat().st_size > _MOST_YAML_BYTES:
            raise UnreadableError(f"{file}: larger than {_MOST_YAML_BYTES} bytes")
        text = file.read_bytes()
        loader = StrictLoader(text)
        try:
            root = loader.get_single_node()
            if _has_alias(root):  # a few of them can stand for millions of values
                events = yaml.parse(text, Loader=StrictLoader)
                alias = next(event for event in events if isinstance(event, yaml.AliasEvent))
                raise UnreadableError(f"{file}: aliases like *{alias.anchor} are not read")
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except OSError as error:
        raise UnreadableError(f"{file}: {_sentence(error)}") from error
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:
        raise UnreadableError(f"{file}: not YAML: {_sentence(error)}") from error


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


def _case(source: str, group: str, name: str, entry: Mapping[str, Any], arrays: "_Arrays") -> Case:
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
    entry: Mapping[str, Any], section: str, path: str, arrays: "_Arrays"
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


class _Arrays:
    """The npz file beside a YAML file, opened when the first array is wanted."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> "_Arrays":
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def read(self, name: str, declared: object) -> Array:
        """The array of a name, which must be what is declared.

        Raises:
            UnreadableError: the file is missing or no npz file.
            ValueError: the array is missing, broken, or not the declared one.
        """
        declaration = Declaration.parse(declared)
        member = f"{name}.npy"
        try:
            if self._zip is None:
                self._zip = zipfile.ZipFile(self._file)
            with self._zip.open(member) as stream:
                self._check_header(stream, declaration)
            with self._zip.open(member) as stream:
                array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        except KeyError:
            raise ValueError(f"{self._file.name} has no array {name}") from None
        except Exception as error:
            # zipfile and numpy raise a dozen kinds of errors on broken files.
            raise UnreadableError(f"{self._file}: {name}: {_sentence(error)}") from error
        return array.view(declaration.dtype)

    @staticmethod
    def _check_header(stream: Any, declaration: Declaration) -> None:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read:
            raise ValueError(f"npy version {version} is not 1.0 or 2.0")
        shape, _, dtype = read[version](stream)
        if (shape, dtype) != (declaration.shape, declaration.stored):
            raise ValueError(f"declared as {declaration}, stored as {dtype}{list(shape)}")


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
