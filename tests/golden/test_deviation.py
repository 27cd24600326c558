"""Declared deviations: how a file says them, and what a run of all cases shows of them."""

import numpy as np
import pytest

from golden import adapters, runner, strict
from golden.case import Case
from golden.compare import Tolerance
from golden.deviation import Deviation, deviations_of, read_deviations
from golden.document import UnreadableError

OUTPUTS = {"x": np.float32([1, 2]), "n": np.uint32([3])}
CASES = [Case("s", "g", name, "f", {}, {}, OUTPUTS) for name in ("a", "b")]


def run(errors, *deviations):
    """A run that is so far off in `x` of each case."""

    def answer(case):
        if errors[case.name] is None:
            raise adapters.UnsupportedError
        return {**OUTPUTS, "x": OUTPUTS["x"] + np.float32(errors[case.name])}

    return runner.run(CASES, adapters.Implementation("fake", answer, {}), deviations)


def deviation(absolute=1.0, **changes):
    entry = {"function": "f", "kind": "precision", "reason": "r", "output": ("x",)}
    return Deviation(**{**entry, "bound": Tolerance(absolute=absolute), **changes})


def complaints(errors, declared):
    return strict.complaints(run(errors, declared), [declared])


def test_a_deviation_that_is_needed_is_no_complaint():
    assert complaints({"a": 0.5, "b": 0.2}, deviation()) == ()


def test_a_bound_is_measured_by_the_worst_that_it_covers():
    assert complaints({"a": 0.11, "b": 0.001}, deviation()) == ()
    (words,) = complaints({"a": 0.09, "b": 0.001}, deviation())
    assert words == (
        "the deviation of f in * is more than 10 times too wide: the worst that it covers needs "
        "0.09 of its bound"
    )


def test_a_relative_bound_is_measured_where_it_is_used_most():
    # 0.3 is 0.6 of the half allowed at 1, and 0.3 of the whole allowed at 2.
    relative = deviation(bound=Tolerance(relative=0.5))
    found = run({"a": 0.3, "b": 0.3}, relative)
    assert found.verdicts[0].outputs[0].share == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"function": "g"}, "the deviation of g is of no function that a case has"),
        (
            {"case": ("g/a", "g/c")},
            "the deviation of f covers g/c, and no case of it has that name",
        ),
        ({"case": ("t:*",)}, "covers t:*, and no case"),
        ({"output": ("y",)}, "covers no output: none of those cases has y"),
        ({"dtype": "f64"}, "covers no output"),
    ],
)
def test_a_deviation_that_speaks_of_nothing_is_a_complaint(changes, words):
    (found,) = complaints({"a": 0.5, "b": 0.5}, deviation(**changes))
    assert words in found


def test_a_deviation_of_what_is_not_offered_is_a_complaint():
    declared = deviation(case=("g/a",))
    (found,) = complaints({"a": None, "b": 0}, declared)
    assert found == "the deviation of f in g/a covers only what the implementation does not offer"


def test_what_some_cases_need_is_no_complaint_unless_none_does():
    some = deviation(needed="some")
    assert complaints({"a": 0.5, "b": 0}, some) == ()
    assert not run({"a": 0.5, "b": 0}, some).failed
    assert run({"a": 0.5, "b": 2}, some).failed
    (found,) = complaints({"a": 0, "b": 0}, some)
    assert found == "the deviation of f in * is needed by none of those cases"


def test_a_complaint_fails_a_run():
    found = run({"a": 0, "b": 0})
    assert not found.failed
    assert runner.Run(found.implementation, found.verdicts, ("a sentence",)).failed


@pytest.fixture
def written(tmp_path):
    """The deviations that a file has."""

    def written(text):
        (tmp_path / "fake.yaml").write_text(text)
        return read_deviations(tmp_path / "fake.yaml")

    return written


GOOD = "function: f, kind: precision, reason: r"


def test_a_file_is_read_as_it_is_written(written):
    text = f"deviations: [{{{GOOD}, case: [g/a, g/b], output: x, bound: {{absolute: 1.0e-3}}}}]"
    assert written(text) == (deviation(0.001, case=("g/a", "g/b")),)
    assert written("deviations: []") == ()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("function: f, kind: precision, reason: '', bound: any", "needs a function and a reason"),
        ("kind: precision, reason: r, bound: any", "needs a function and a reason"),
        ("function: f, kind: taste, reason: r, bound: any", "kind must be one of .*, not 'taste'"),
        ("function: f, kind: '?', reason: r, bound: any", "kind must be one of .*, not '?'"),
        ("function: f, reason: r, bound: any", "kind must be one of .*, not None"),
        (f"{GOOD}, dtype: f33, bound: any", "unknown dtype 'f33'"),
        (f"{GOOD}, bound: {{about: 1}}", "bound must be type, finite, shape, any, or of absolute"),
        (f"{GOOD}, bound: {{}}", "bound must be"),
        (f"{GOOD}, bound: wide", "bound must be"),
        (f"{GOOD}, bound: {{absolute: 1e-3}}", "must be a number from 0, like 1.0e-3, not '1e-3'"),
        (f"{GOOD}, bound: {{absolute: -1}}", "must be a number from 0"),
        (f"{GOOD}, bound: {{absolute: .inf}}", "must be a number from 0"),
        (f"{GOOD}, bound: {{absolute: true}}", "must be a number from 0"),
        (f"{GOOD}, bound: any, type: f32", "type must be one of same, any, not 'f32'"),
        (f"{GOOD}, bound: any, needed: never", "needed must be one of each, some, not 'never'"),
        (GOOD, "needs either a bound or refused"),
        (f"{GOOD}, bound: any, refused: x", "needs either a bound or refused"),
        (f"{GOOD}, bound: any, since: 3", "has not only function, kind"),
        (f"{GOOD}, bound: any, case: 3", "case must be a glob or a list of globs, not 3"),
        (f"{GOOD}, bound: any, output: []", "output must be a glob or a list of globs"),
        ("function: 3, kind: precision, reason: r, bound: any", "function must be a string, not 3"),
    ],
)
def test_what_is_no_deviation_is_refused_in_a_sentence(written, entry, words):
    with pytest.raises(UnreadableError, match=rf"fake\.yaml: deviation 1: .*{words}") as error:
        written(f"deviations: [{{{entry}}}]")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "deviations: 3", "[1]", "deviations: [3]", "a: ["])
def test_what_is_no_file_of_deviations_is_refused(written, text):
    with pytest.raises(UnreadableError, match=r"fake\.yaml: "):
        written(text)


def test_the_name_of_a_stranger_is_no_path(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "fake.yaml").write_text("deviations: 3")
    assert deviations_of("../fake", tmp_path / "in") == ()
    with pytest.raises(UnreadableError):
        deviations_of("fake", tmp_path)
