"""Finding what is wrong with files of cases, before anything is held against them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden.case import Case
from golden.document import UnreadableError, mapping_of, read_yaml, sentence
from golden.functions import nearest, wrong_names
from golden.loader import case_of, files_in, groups_of
from golden.npz import ArrayFile
from golden.wire import ProtocolError, request

_KEYS = ("function", "why", "options", "inputs", "outputs")
_SAYS_NOT_FINITE = re.compile(
    r"\b(nan|inf|infinit\w*|overflow\w*|not finite|not a number)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a file."""

    file: Path
    case: str
    """`group/case`, or nothing where it is of the whole file."""
    words: str

    def __str__(self) -> str:
        return f"{self.file}:{self.case}: {self.words}"


def lint(places: Sequence[Path]) -> list[Finding]:
    """All that is wrong with some files, and with all files of some folders.

    Raises:
        UnreadableError: a file is missing or no file of cases, or a folder has none.
    """
    found: list[Finding] = []
    seen: dict[str, Path] = {}
    for place in places:
        for file in [place] if not place.is_dir() else files_in(place):
            if file.stem in seen:
                words = f"its cases have the ids of those in {seen[file.stem]}: rename one file"
                found.append(Finding(file, "", words))
            seen.setdefault(file.stem, file)
            found.extend(_of_file(file))
    return found


def _of_file(file: Path) -> Iterator[Finding]:
    content = read_yaml(file)
    # What a system gave on a day needs no other reason.
    recorded = "date" in mapping_of(mapping_of(content).get("provenance"))
    seen: set[str] = set()
    used: set[str] = set()
    with ArrayFile(file.with_suffix(".npz")) as arrays:
        stored = arrays.names()
        for group, members in groups_of(file, content).items():
            if not members:
                yield Finding(file, str(group), "there is no case in this group")
            for name, entry in members.items():
                path = f"{group}/{name}"
                if path in seen:
                    yield Finding(file, path, "another group and case have the same id")
                seen.add(path)
                used.update(_declared(path, entry))
                for words in _of_entry(file, group, name, entry, arrays, recorded=recorded):
                    yield Finding(file, path, words)
    for array in stored:
        if array not in used:
            yield Finding(file, "", f"the npz file has an array that no case uses: {array}")


def _declared(path: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """The names in the npz file of the arrays that an entry declares."""
    for section, short in (("inputs", "in"), ("outputs", "out")):
        for name in mapping_of(entry.get(section)):
            yield f"{path}/{short}/{name}"


def _of_entry(
    file: Path,
    group: str,
    name: str,
    entry: Mapping[str, Any],
    arrays: ArrayFile,
    *,
    recorded: bool,
) -> Iterator[str]:
    for key in entry:
        if key not in _KEYS:
            yield f"unknown entry {key}{nearest(str(key), _KEYS)}"
    if "function" not in entry:
        yield f"there is no function; the group's name {group} would stand for it"
    if not recorded and not entry.get("why"):
        yield "there is no why: what does this case show that no other does?"
    try:
        case = case_of(file.stem, group, name, entry, arrays)
    except UnreadableError:
        raise
    except (ValueError, TypeError) as error:
        yield sentence(error)
        return
    yield from wrong_names(case)
    try:
        request(0, case)
    except ProtocolError as error:
        yield sentence(error)
    yield from _not_finite(case)


def _not_finite(case: Case) -> Iterator[str]:
    if _SAYS_NOT_FINITE.search(case.why):
        return
    for kind, arrays in (("input", case.inputs), ("output", case.outputs)):
        for name, array in arrays.items():
            if array.dtype.kind not in "biu" and not np.isfinite(array.astype(np.float64)).all():
                yield f"{kind} {name} has NaN or infinities, and why does not speak of them"
