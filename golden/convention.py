"""Conventions: questions on which VAE libraries differ, each with the answers that are known.

A question is put as a case is: a function, options, inputs. It has no right answer. Each of its
conventions says, by a formula and where that stands, what an implementation that follows it gives,
and any two of them differ by far more than rounding, so that one answer tells which it is.
"""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from golden.arrays import Array
from golden.case import Case
from golden.compare import Tolerance, compare
from golden.document import UnreadableError, mapping_of, read_yaml, sentence
from golden.loader import case_of, files_in
from golden.npz import ArrayFile

SHIPPED = Path(__file__).parent / "conventions"

ROUNDING = Tolerance(relative=1e-4)
"""What an answer may be off a convention: far more than float32 rounds in so few terms."""
APART = Tolerance(relative=5e-3)
"""What two conventions must be apart."""

_SOURCE = "conventions"
_OF_A_QUESTION = {"asks", "places", "options", "inputs", "conventions"}
_OF_A_CONVENTION = {"formula", "source", "outputs"}


@dataclass(frozen=True)
class Convention:
    """One answer to a question."""

    name: str
    formula: str
    source: str
    """The paper or the library where it stands."""
    outputs: Mapping[str, Array]


@dataclass(frozen=True)
class Question:
    """One quantity at one place of an API, and the conventions that are known for it."""

    asks: str
    case: Case
    """`convention.<quantity>` with the option `place`; its outputs are the first convention's."""
    conventions: tuple[Convention, ...]

    @property
    def name(self) -> str:
        """`quantity/place`."""
        return self.case.id


def load(folder: Path = SHIPPED) -> tuple[Question, ...]:
    """The questions of all YAML files of a folder.

    Raises:
        UnreadableError: a file cannot be read, or has a question that tells nothing.
    """
    found = tuple(question for file in files_in(folder) for question in _read(file))
    names = [question.name for question in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnreadableError(f"{folder}: the question {twice} stands twice")
    return found


def _read(file: Path) -> Iterator[Question]:
    questions = mapping_of(read_yaml(file)).get("questions")
    if not isinstance(questions, dict) or not questions:
        raise UnreadableError(f"{file}: there are no `questions` in it")
    with ArrayFile(file.with_suffix(".npz")) as arrays:
        for quantity, entry in questions.items():
            try:
                yield from _questions(str(quantity), entry, arrays)
            except (ValueError, TypeError) as error:
                raise UnreadableError(f"{file}: {quantity}: {sentence(error)}") from error


def _questions(quantity: str, entry: object, arrays: ArrayFile) -> Iterator[Question]:
    """A question for each place."""
    told = _entries("a question", entry, _OF_A_QUESTION, _OF_A_QUESTION - {"options"})
    conventions = told["conventions"]
    if not isinstance(conventions, dict) or len(conventions) < 2:
        raise ValueError("conventions must be a mapping of at least two names to what each gives")
    places = told["places"]
    if not isinstance(places, list) or not places:
        raise ValueError(f"places must be a list of at least one name, not {reprlib.repr(places)}")
    known = []
    for name, answer in conventions.items():
        words = _entries(f"convention {name}", answer, _OF_A_CONVENTION, _OF_A_CONVENTION)
        case = case_of(_SOURCE, quantity, str(name), words, arrays)
        known.append(Convention(str(name), words["formula"], words["source"], case.outputs))
    _tell_apart(known)
    for place in places:
        asked = {
            "function": f"convention.{quantity}",
            "options": {"place": place, **told.get("options", {})},
            "inputs": told["inputs"],
            "outputs": next(iter(conventions.values()))["outputs"],
        }
        case = case_of(_SOURCE, quantity, str(place), asked, arrays)
        yield Question(str(told["asks"]), case, tuple(known))


def _entries(what: str, entry: object, known: set[str], needed: set[str]) -> Mapping[str, Any]:
    if not isinstance(entry, dict) or not needed <= entry.keys() <= known:
        names = ", ".join(sorted(known))
        raise ValueError(f"{what} has {names}, not {reprlib.repr(entry)}")
    return entry


def _tell_apart(conventions: list[Convention]) -> None:
    for one, other in combinations(conventions, 2):
        if one.outputs.keys() != other.outputs.keys():
            raise ValueError(f"{one.name} and {other.name} must have outputs of the same names")
        for name, array in one.outputs.items():
            if problem := compare(array, other.outputs[name], ROUNDING).problem:
                raise ValueError(f"{name} of {one.name} and {other.name} must be alike: {problem}")
        if all(compare(a, other.outputs[n], APART).within for n, a in one.outputs.items()):
            raise ValueError(f"no answer tells {one.name} from {other.name}")
