"""Every formula of a convention, broken in turn: what is written of its question must notice."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from golden import convention
from golden.reference import conventions
from tests.golden.formulas import by_formula
from tests.mutation.mutants import mutants

FILE = Path(conventions.__file__)
SOURCE = FILE.read_text(encoding="utf-8")


def named(mutant):
    """A name that does not move with the lines above it: of a convention, or of a function."""
    key = SOURCE.splitlines()[mutant.line - 1].strip().partition(":")[0].strip('"')
    return f"{key if mutant.function == 'module' else mutant.function}: {mutant.change}"


MUTANTS = {named(mutant): mutant for mutant in mutants(SOURCE)}
UNDER = "the total is under its floor, as it must be for the floor to show"
EQUIVALENT = {
    "mean-features-sum-batch: 0 -> 1": "all samples are of one size",
    "mean-latent-sum-batch: 0 -> 1": "all samples are of one size",
    "total: kl.sum -> kl.mean": UNDER,
    "excess-of-total: kl.sum -> kl.mean": UNDER,
    "ignored: kl.sum() / len(kl) + 0 * floor -> kl.sum() / len(kl) - 0 * floor": "0 is added",
    "ignored: 0 * floor -> 0 / floor": "0 is added",
    "_saturation: np.sum -> np.mean": "the question is about one pixel",
}
QUESTIONS = convention.load()


def holds(formulas):
    """Whether formulas give what is written of every convention."""
    for question in QUESTIONS:
        for one in question.conventions:
            found = by_formula(question, one.name, formulas)
            for name, wanted in one.outputs.items():
                if not np.allclose(found[name], wanted, rtol=1e-6, atol=0):
                    return False
    return True


def test_what_is_not_broken_holds():
    assert holds(conventions.FORMULAS)
    assert set(EQUIVALENT) < set(MUTANTS)


@pytest.mark.parametrize("name", MUTANTS, ids=ascii)
def test_a_broken_formula_is_noticed(name):
    broken = ModuleType("broken")
    try:
        exec(compile(MUTANTS[name].tree, FILE, "exec"), vars(broken))  # noqa: S102
        with np.errstate(all="ignore"):
            held = holds(broken.FORMULAS)
    except Exception:  # it cannot even be called
        held = False
    assert held == (name in EQUIVALENT)
