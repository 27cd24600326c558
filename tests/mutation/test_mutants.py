"""The mutation session's own parts: that it breaks what it says it breaks."""

import ast

from tests.mutation.__main__ import all_mutants
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import mutants

SOURCE = '''
LIMIT = 20.0

def f(x: Float[Array, "3"], y: int = 7) -> int:
    """Half of 1 + 1."""
    if x < 0:
        raise ValueError("1 + 1")
    a, b = split(x)
    return jnp.sum(-a * 2)
'''


def test_constants_operators_signs_reductions_and_splits_are_broken_but_no_checks():
    changes = {mutant.name for mutant in mutants(SOURCE)}
    assert changes == {
        "module: 20.0 -> 21.0",
        "f: a, b = split(x) -> b, a = split(x)",
        "f: jnp.sum -> jnp.mean",
        "f: -a * 2 -> -a / 2",
        "f: -a -> a",
        "f: 7 -> 8",
        "f: 2 -> 3",
    }


def test_a_mutant_differs_from_its_source_in_one_place():
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in mutants(SOURCE):
        broken = ast.unparse(mutant.tree).splitlines()
        assert sum(a != b for a, b in zip(original, broken, strict=True)) == 1


def test_every_file_of_formulas_has_mutants_and_every_excuse_is_one_of_them():
    names = {f"{file} {mutant.name}" for file, mutant in all_mutants()}
    assert set(EQUIVALENT) <= names
    assert len(names) > 200
