"""The runner: implementations that fail in every way, and declared deviations."""

from dataclasses import replace

import numpy as np
import pytest

from golden import adapters, runner
from golden.arrays import DTYPES
from golden.case import Case
from golden.compare import Tolerance
from golden.deviation import Deviation

CASE = Case("s", "g", "c", "f", {}, {}, {"x": np.float32([1, 2]), "n": np.uint32([3])})


def verdict(answer, *deviations, case=CASE):
    implementation = adapters.Implementation("fake", answer, {})
    (found,) = runner.run([case], implementation, deviations).verdicts
    return found


def deviation(absolute, **changes):
    entry = {"function": "f", "output": ("x",), "dtype": "f32", "kind": "precision", "reason": "r"}
    return Deviation(**{**entry, **changes}, bound=Tolerance(absolute=absolute))


def off_by(error):
    return lambda case: {"x": case.outputs["x"] + np.float32(error), "n": case.outputs["n"]}


def test_the_recorded_outputs_pass():
    assert verdict(lambda case: case.outputs).status == runner.PASSED


def raises(_):
    raise RuntimeError("no luck")


def unsupported(_):
    raise adapters.UnsupportedError


@pytest.mark.parametrize(
    "answer",
    [
        raises,
        off_by(0.1),
        lambda case: {"x": case.outputs["x"]},
        lambda case: {"x": case.outputs["n"], "n": case.outputs["x"]},
        lambda case: {**case.outputs, "x": case.outputs["x"][::-1]},
        lambda case: {**case.outputs, "x": case.outputs["x"][None]},
        lambda case: {**case.outputs, "x": case.outputs["x"].astype(np.float64)},
        lambda case: {**case.outputs, "x": np.float32([1, np.nan])},
    ],
)
def test_every_wrong_answer_fails_its_case(answer):
    assert verdict(answer).status == runner.FAILED


def test_what_was_raised_is_told():
    assert verdict(raises).error == "RuntimeError: no luck"


def test_what_is_not_offered_is_neither():
    assert verdict(unsupported).status == runner.UNSUPPORTED


def test_a_declared_deviation_holds_up_to_its_bound():
    assert verdict(off_by(0.1), deviation(0.2)).status == runner.DECLARED
    assert verdict(off_by(0.3), deviation(0.2)).status == runner.FAILED


def test_a_declared_deviation_that_passes_is_a_failure():
    found = verdict(off_by(0), deviation(0.2))
    assert found.status == runner.FAILED
    assert found.error == "a deviation is declared that is not needed: r"


def refused(words="RuntimeError: no*"):
    return Deviation("f", "convention", "r", case=("s:g/*",), refused=words)


def test_a_declared_refusal_holds_with_its_words_and_only_where_it_comes():
    assert verdict(raises, refused()).status == runner.DECLARED
    assert verdict(raises, refused("RuntimeError: good*")).status == runner.FAILED
    assert verdict(lambda case: case.outputs, refused()).status == runner.FAILED


def test_shape_alone_and_nothing_at_all_can_be_held():
    def bound(words):
        return Deviation("f", "convention", "r", output=("x",), bound=words)

    def reshaped(case):
        return {**case.outputs, "x": case.outputs["x"][None]}

    def without(case):
        return {"n": case.outputs["n"]}

    assert verdict(off_by(9), bound("shape")).status == runner.DECLARED
    assert verdict(reshaped, bound("shape")).status == runner.FAILED
    assert verdict(reshaped, bound("any")).status == runner.DECLARED
    assert verdict(without, bound("any")).status == runner.DECLARED
    assert verdict(without, bound("shape")).status == runner.FAILED


@pytest.mark.parametrize(
    "changes", [{"function": "g"}, {"case": ("h/*",)}, {"output": ("y",)}, {"dtype": "f64"}]
)
def test_a_deviation_covers_only_what_it_says(changes):
    assert verdict(off_by(0.1), deviation(0.2, **changes)).status == runner.FAILED


def test_an_implementation_that_cannot_be_asked_any_more_ends_the_run():
    def gone(_):
        raise adapters.StartError("no such command")

    with pytest.raises(adapters.StartError):
        verdict(gone)


def test_what_is_broken_is_excused_by_nothing():
    def crashes(_):
        raise adapters.BrokenError("ended with exit code 3")

    found = verdict(crashes, refused("*"))
    assert (found.status, found.broken) == (runner.FAILED, True)


def bounded(words, **changes):
    return Deviation("f", "convention", "r", output=("x",), bound=words, **changes)


def answering(x):
    return lambda case: {**case.outputs, "x": x}


def test_a_type_alone_can_be_declared():
    wide = CASE.outputs["x"].astype(np.float64)
    assert verdict(answering(wide), bounded("type")).status == runner.DECLARED
    assert verdict(answering(wide + 0.1), bounded("type")).status == runner.FAILED
    assert verdict(answering(wide.astype(int)), bounded("type")).status == runner.FAILED
    narrow = wide.astype(DTYPES["bf16"])
    assert verdict(answering(narrow), bounded("type")).status == runner.DECLARED


def test_numbers_within_a_bound_may_be_of_another_type_where_it_is_said():
    wide, bound = CASE.outputs["x"].astype(np.float64) + 0.1, Tolerance(absolute=0.2)
    assert verdict(answering(wide), bounded(bound)).status == runner.FAILED
    assert verdict(answering(wide), bounded(bound, type="any")).status == runner.DECLARED
    assert verdict(answering(wide + 0.3), bounded(bound, type="any")).status == runner.FAILED


NOT_FINITE = replace(CASE, outputs={**CASE.outputs, "x": np.float32([1, np.nan])})


@pytest.mark.parametrize(
    ("x", "status"),
    [
        (np.float32([1, 5]), runner.DECLARED),
        (np.float32([1.1, 5]), runner.FAILED),
        (np.float32([1, np.inf]), runner.FAILED),
        (np.float32([np.nan, 5]), runner.FAILED),
        (np.float64([1, 5]), runner.FAILED),
        (np.float32([[1, 5]]), runner.FAILED),
    ],
)
def test_finite_numbers_can_be_declared_where_none_were_recorded(x, status):
    assert verdict(answering(x), bounded("finite"), case=NOT_FINITE).status == status


def test_of_several_deviations_the_first_that_is_kept_to_counts():
    narrow, wide = (bounded(Tolerance(absolute=a), needed="some") for a in (0.1, 0.5))
    found = verdict(off_by(0.3), narrow, wide)
    assert (found.status, found.outputs[0].deviation) == (runner.DECLARED, wide)
    assert verdict(off_by(0.05), narrow, wide).outputs[0].deviation == narrow
    assert verdict(off_by(0.6), narrow, wide).status == runner.FAILED


def test_a_deviation_need_not_be_needed_beside_foreign_cases():
    implementation = adapters.Implementation("fake", lambda case: case.outputs, {})
    (found,) = runner.run([CASE], implementation, (deviation(0.2),), strict=False).verdicts
    assert found.status == runner.PASSED
