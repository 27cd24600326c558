"""Questions of convention: what the shipped ones say, and that an answer tells which is meant."""

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from golden import adapters, convention, survey
from golden.__main__ import main
from golden.document import UnreadableError
from golden.reference.conventions import FORMULAS
from tests.golden.formulas import by_formula

FAKE = Path(__file__).parent / "fakes" / "fake.py"
QUESTIONS = convention.load()
PAIRS = [(question, one) for question in QUESTIONS for one in question.conventions]
IDS = [f"{question.name}-{one.name}" for question, one in PAIRS]


def findings(answer, *, wide=False):
    implementation = adapters.Implementation("theirs", answer, {}, wide=wide)
    return survey.survey(implementation, QUESTIONS)


@pytest.mark.parametrize(("question", "one"), PAIRS, ids=IDS)
def test_what_is_written_is_what_the_formula_gives(question, one):
    found = by_formula(question, one.name)
    assert found.keys() == one.outputs.keys()
    for name, wanted in one.outputs.items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-6, strict=False)


def test_every_formula_is_a_convention_of_its_quantity():
    written = {q.case.group: {one.name for one in q.conventions} for q in QUESTIONS}
    assert written == {quantity: set(formulas) for quantity, formulas in FORMULAS.items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("question", "one"), PAIRS, ids=IDS)
def test_an_implementation_that_follows_one_is_told_so(question, one, dtype):
    outputs = {n: np.asarray(a, dtype) for n, a in by_formula(question, one.name).items()}
    followed = adapters.Implementation("theirs", lambda _: outputs, {}, wide=dtype == np.float64)
    (found,) = survey.survey(followed, [question])
    assert found.status == survey.FOLLOWED
    assert found.name == one.name


def test_what_is_no_known_convention_is_told_with_its_numbers():
    off = findings(lambda case: {n: a * np.float32(1.003) for n, a in case.outputs.items()})
    by_name = {finding.question.name: finding for finding in off}
    assert {finding.status for finding in off} == {survey.NONE_OF_THESE}
    assert by_name["kl/loss"].words == "value is 6.018 (f32[])"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: {}, "value is missing"),
        (lambda array: {"value": array[None]}, "value is 6 (f32[1])"),
        (lambda array: {"value": array.astype(np.float64)}, "value is 6 (f64[])"),
        (lambda array: {"value": array * np.float32(np.nan)}, "value is nan (f32[])"),
        (lambda array: {"value": np.zeros(99) + array}, "value is an f64[99]"),
    ],
)
def test_an_answer_of_another_form_follows_nothing(change, words):
    (question,) = [question for question in QUESTIONS if question.name == "kl/loss"]
    theirs = adapters.Implementation("theirs", lambda case: change(case.outputs["value"]), {})
    (found,) = survey.survey(theirs, [question])
    assert (found.name, found.words) == ("none of these", words)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (adapters.UnsupportedError("no"), survey.NOT_OFFERED, ""),
        (RuntimeError("no luck"), survey.NO_ANSWER, "RuntimeError: no luck"),
        (adapters.AnswerError("bad luck"), survey.NO_ANSWER, "bad luck"),
        (adapters.BrokenError("crashed\nlast words"), survey.NO_ANSWER, "crashed"),
    ],
)
def test_no_answer_is_no_convention(error, status, words):
    def raises(_):
        raise error

    assert {(found.status, found.words) for found in findings(raises)} == {(status, words)}


def test_what_cannot_be_asked_any_more_ends_the_survey():
    def raises(_):
        raise adapters.StartError("gone")

    with pytest.raises(adapters.StartError):
        findings(raises)


OURS = {
    "edifice_py": {
        "reconstruction/loss": "mean-elements",
        "reconstruction/trainer": "not offered",
        "kl/loss": "sum-latent",
        "kl_of_maps/loss": "sum-last-axis",
        "capacity/loss": "absolute",
        "free_bits/loss": "dimension-and-sample",
        "log_variance/sample": "unclipped",
        "vector_quantization/loss": "means",
        "moving_average/codebook": "smoothed-division",
        "bernoulli/loss": "not offered",
    },
    "artifex_compat": {
        "reconstruction/loss": "mean-elements",
        "reconstruction/trainer": "sum-features",
        "bernoulli/loss": "sum-features",
        "bernoulli/trainer": "sum-features",
        "saturation/loss": "limit-1e-8",
        "saturation/trainer": "limit-1e-7",
        "kl/loss": "sum-latent",
        "kl/trainer": "sum-latent",
        "kl_of_maps/loss": "sum-latent",
        "kl_of_maps/trainer": "sum-latent",
        "capacity/loss": "absolute",
        "free_bits/trainer": "dimension-and-sample",
        "log_variance/sample": "clipped-20",
        "vector_quantization/loss": "means",
        "moving_average/codebook": "smoothed-division",
        "free_bits/loss": "not offered",
    },
}


@pytest.mark.parametrize("name", OURS)
def test_ours_follow_what_is_documented(name):
    found = survey.survey(adapters.implementation(name), QUESTIONS)
    told = {finding.question.name: finding.name for finding in found}
    assert {question: told[question] for question in OURS[name]} == OURS[name]


def test_the_command_tells_what_a_process_follows(capsys):
    honest = shlex.join([sys.executable, "-I", "-S", str(FAKE), "honest"])
    assert main(["conventions", "--command", honest]) == 0  # it has no such outputs
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["question", "fake"]
    assert lines[2].split() == ["kl/loss", "none", "of", "these"]
    assert "  fake, loss, none of these: value is missing" in lines


def test_a_process_that_ends_badly_is_told_with_exit_code_1(capsys):
    failing = shlex.join([sys.executable, "-I", "-S", str(FAKE), "end_by_failing"])
    assert main(["conventions", "--command", failing]) == 1
    assert "fake FAILED: the process ended with exit code 3" in capsys.readouterr().out


def test_answers_in_a_file_tell_it_as_well(tmp_path, monkeypatch, capsys):
    known = {question.case.id: question for question in QUESTIONS}
    plain = adapters.implementation("numpy64")

    def last(case):
        if not case.function.startswith("convention."):
            return plain.answer(case)
        question = known[case.id]
        return by_formula(question, question.conventions[-1].name)

    theirs = adapters.Implementation("theirs", last, {}, wide=True)
    monkeypatch.setattr(adapters, "implementation", lambda _: theirs)
    cases, answers = tmp_path / "cases.json", tmp_path / "answers.json"
    some = ("--filter", "core:core.reduce/*")
    assert main(["export", str(cases), *some, "--conventions"]) == 0
    asked = [request["case"] for request in json.loads(cases.read_text())["requests"]]
    assert [f"conventions:{question.name}" for question in QUESTIONS] == asked[-len(QUESTIONS) :]
    assert main(["answer", "numpy64", str(cases), str(answers)]) == 0
    assert main(["conventions", "--answers", str(answers)]) == 0
    told = capsys.readouterr().out
    assert [line.split()[1] for line in told.splitlines()[2 : 2 + len(QUESTIONS)]] == [
        question.conventions[-1].name for question in QUESTIONS
    ]
    assert main(["conventions", "--implementation", "numpy64"]) == 0
    assert capsys.readouterr().out == told
    assert main(["check", *some, "--answers", str(answers)]) == 0
    capsys.readouterr()


def test_who_offers_none_of_it_is_no_report(capsys):
    assert main(["conventions", "--implementation", "numpy64"]) == 2
    assert "no implementation offers any function convention.*" in capsys.readouterr().err


def test_who_breaks_is_told_with_exit_code_1(monkeypatch, capsys):
    def raises(_):
        raise RuntimeError("no luck")

    broken = adapters.Implementation("broken", raises, {})
    monkeypatch.setattr(adapters, "implementation", lambda _: broken)
    assert main(["conventions", "--implementation", "numpy64"]) == 1
    assert "broken, loss, no answer: RuntimeError: no luck" in capsys.readouterr().out


SOUND = """
questions:
  mean:
    asks: how many become one
    places: [loss]
    inputs: {x: {dtype: f32, data: [1, 3]}}
    conventions:
      mean: {formula: m, source: s, outputs: {value: {dtype: f32, data: 2}}}
      sum: {formula: m, source: s, outputs: {value: {dtype: f32, data: 4}}}
"""


def test_a_sound_file_is_a_question(tmp_path):
    (tmp_path / "mine.yaml").write_text(SOUND)
    (question,) = convention.load(tmp_path)
    assert question.name == "mean/loss"
    assert question.case.function == "convention.mean"
    assert question.case.options == {"place": "loss"}
    assert [one.name for one in question.conventions] == ["mean", "sum"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("data: 4", "data: 2.004", "no answer tells mean from sum"),
        ("dtype: f32, data: 4", "dtype: f64, data: 4", "value of mean and sum must be alike"),
        ("{value: {dtype: f32, data: 4}}", "{y: {dtype: f32, data: 4}}", "of the same names"),
        ("formula: m, source: s, ", "formula: m, ", "convention mean has formula, outputs, source"),
        ("    asks: how many become one\n", "", "a question has asks, conventions"),
        ("places: [loss]", "places: loss", "places must be a list"),
        ("places: [loss]", "places: [loss, loss]", "the question mean/loss stands twice"),
        ("questions:", "question:", "there are no `questions`"),
        ("asks:", "why: w\n    asks:", "a question has asks, conventions"),
        (SOUND[SOUND.index("      sum") :], "", "at least two names"),
    ],
)
def test_a_file_that_tells_nothing_is_refused(tmp_path, old, new, words):
    assert old in SOUND
    (tmp_path / "mine.yaml").write_text(SOUND.replace(old, new))
    with pytest.raises(UnreadableError, match=words):
        convention.load(tmp_path)
