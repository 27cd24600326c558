"""Implementations under test, by name. Only a module of this package imports an implementation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

from golden.arrays import Array
from golden.case import Case

NAMES = ("edifice_py", "artifex_compat", "numpy64")
"""Those that are asked where nobody names one."""

SERVED = (*NAMES, "artifex")
"""Those that `serve` and `answer` know: the last needs an environment of its own."""


PRODUCTS = ("f32", "tf32")
"""What float32 factors of a product of matrices may be rounded to; a GPU's tf32 has ten bits."""


class UnsupportedError(Exception):
    """An implementation has nothing that a case asks for."""


class AnswerError(Exception):
    """What an implementation outside this process says that it raised, in its own words."""


class BrokenError(Exception):
    """An implementation crashed, hung or gave what is no answer. No deviation excuses that."""


class StartError(Exception):
    """An implementation cannot be asked at all, and why, in one sentence."""


Outcome = Mapping[str, Array] | UnsupportedError | AnswerError
"""What came of a case that was asked before: its outputs, or what was raised."""


def again(outcome: Outcome) -> Mapping[str, Array]:
    """The outputs of an outcome. Raises what was raised, where there are none."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def words_of(error: Exception) -> str:
    """What an implementation said by raising: in its own words where it spoke itself."""
    told = isinstance(error, AnswerError | BrokenError)
    return str(error) if told else f"{type(error).__name__}: {error}"


Formula = Callable[..., Any]
Answer = Callable[[Case], Mapping[str, Array]]
"""The outputs of a case. Raises `UnsupportedError` where there is no such function."""


@dataclass(frozen=True)
class Implementation:
    """Something that answers cases."""

    name: str
    answer: Answer
    versions: Mapping[str, str]
    """What was tested: packages and their versions, the platform."""
    wide: bool = False
    """It answers in float64 whatever the dtype of a case."""
    products: str = "f32"
    """What it rounds the factors of float32 products to, one of `PRODUCTS`."""


def function_of_convention(case: Case, functions: Mapping[tuple[str, Any], Formula]) -> Formula:
    """The function that has the quantity of a question of convention, with the question's options.

    Args:
        case: its option `place` says where the quantity is asked for.
        functions: by quantity and place.

    Raises:
        UnsupportedError: there is none.
    """
    place = case.options["place"]
    function = functions.get((case.function.removeprefix("convention."), place))
    if function is None:
        raise UnsupportedError(f"{case.function} of the {place}")
    return partial(function, **{name: v for name, v in case.options.items() if name != "place"})


def core_formula(package: str, function: str) -> Formula:
    """The formula of a package that `core.module.name` names.

    Raises:
        UnsupportedError: there is none of that name.
    """
    _, module, *names = function.split(".")
    if find_spec(f"{package}.{module}") and len(names) == 1:
        formula = getattr(import_module(f"{package}.{module}"), names[0], None)
        if formula is not None:
            return cast(Formula, formula)
    raise UnsupportedError(function)


def implementation(name: str) -> Implementation:
    """The implementation of a name of `SERVED`.

    Raises:
        StartError: it cannot be asked here.
    """
    made: Implementation = imported(name).make()
    return made


def imported(name: str) -> ModuleType:
    """The module that has an implementation, and imports what it is of.

    Raises:
        StartError: it cannot be imported here.
    """
    try:
        return import_module(f"golden.adapters.{name}")
    except Exception as error:
        # Releases that do not go together raise whatever comes of it.
        raise StartError(f"{name} cannot be imported: {words_of(error)}") from error
