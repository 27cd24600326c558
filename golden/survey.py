"""Asking implementations which conventions they follow. Nothing fails: there is no right answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from golden.adapters import Implementation, StartError, UnsupportedError, words_of
from golden.arrays import Array, describe
from golden.compare import compare
from golden.convention import ROUNDING, Convention, Question

FOLLOWED, NONE_OF_THESE, NOT_OFFERED, NO_ANSWER = (
    "followed",
    "none of these",
    "not offered",
    "no answer",
)
"""A known convention; another one; the implementation has no such thing; it failed, or broke."""

_MOST_NUMBERS = 8


@dataclass(frozen=True)
class Finding:
    """What an implementation answers to a question."""

    question: Question
    status: str
    convention: Convention | None = None
    words: str = ""
    """What it gave in place of a convention, or why there is no answer."""

    @property
    def name(self) -> str:
        """The convention, or what there is in its place."""
        return self.convention.name if self.convention else self.status


def survey(implementation: Implementation, questions: Iterable[Question]) -> tuple[Finding, ...]:
    """Put questions to an implementation.

    Raises:
        StartError: it cannot be asked any more.
    """
    return tuple(_finding(implementation, question) for question in questions)


def _finding(implementation: Implementation, question: Question) -> Finding:
    try:
        had = implementation.answer(question.case)
    except UnsupportedError:
        return Finding(question, NOT_OFFERED)
    except StartError:
        raise
    except Exception as error:
        # Whatever an implementation raises is its answer, and none that tells a convention.
        return Finding(question, NO_ANSWER, words=words_of(error).partition("\n")[0])
    given = {name: np.asarray(array) for name, array in had.items()}
    for convention in question.conventions:
        if _fits(convention, given, wide=implementation.wide):
            return Finding(question, FOLLOWED, convention)
    return Finding(question, NONE_OF_THESE, words=_told(question, given))


def _fits(convention: Convention, had: Mapping[str, Array], *, wide: bool) -> bool:
    return all(
        name in had and compare(wanted, had[name], ROUNDING, wide=wide).within
        for name, wanted in convention.outputs.items()
    )


def _told(question: Question, had: Mapping[str, Array]) -> str:
    """The outputs that were given, as far as they are small, and the shapes of others."""
    parts = []
    for name in question.case.outputs:
        array = had.get(name)
        if array is None:
            parts.append(f"{name} is missing")
        elif array.size > _MOST_NUMBERS:
            parts.append(f"{name} is an {describe(array)}")
        else:
            numbers = ", ".join(f"{number:.6g}" for number in array.astype(np.float64).ravel())
            parts.append(f"{name} is {numbers} ({describe(array)})")
    return ", ".join(parts)
