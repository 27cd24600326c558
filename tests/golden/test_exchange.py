"""Cases and answers in files, and every way for one of them to be broken."""

import json

import pytest

from golden import exchange, runner
from golden.__main__ import main
from golden.loader import SHIPPED, load

FILTER = "core:core.gaussian/*"
CASES = load(SHIPPED, FILTER)
NAME = "core:core.gaussian/free_bits"


@pytest.fixture
def files(tmp_path, capsys):
    """The requests for some cases, and numpy64's answers to them."""
    cases, answers = tmp_path / "cases.json", tmp_path / "answers.json"
    assert main(["export", str(cases), "--filter", FILTER]) == 0
    assert main(["answer", "numpy64", str(cases), str(answers)]) == 0
    assert capsys.readouterr().out == ""
    return cases, answers


@pytest.fixture
def changed(files):
    """The answers after a change of what they say, on the cases of the file."""

    def changed(change):
        content = json.loads(files[1].read_text())
        change(content)
        files[1].write_text(json.dumps(content))
        return exchange.answered(files[1], CASES)

    return changed


def run(implementation):
    return runner.run(CASES, implementation, ())


def test_the_answers_of_a_file_are_those_of_the_implementation(files):
    held = run(exchange.answered(files[1], CASES))
    assert held.count(runner.PASSED) == len(CASES) > 5
    assert (held.implementation.name, held.implementation.wide) == ("numpy64", True)


def test_a_file_has_a_case_a_line_and_is_the_protocol(files):
    lines = files[0].read_text().splitlines()
    assert len(lines) == len(CASES) + 2
    request = json.loads(lines[1].removesuffix(","))
    assert list(request) == ["id", "case", "function", "options", "inputs", "outputs"]
    answer = json.loads(files[1].read_text().splitlines()[1].removesuffix(","))
    assert list(answer) == ["case", "status", "outputs"]


def test_answers_may_come_in_any_order_and_be_errors(changed):
    def change(content):
        content["answers"].reverse()
        first, second, third, *_ = content["answers"]
        first.update(status="unsupported", reason="r")
        second.update(status="error", message="ValueError: no")
        content["answers"].remove(third)

    held = run(changed(change))
    assert held.count(runner.PASSED) == len(CASES) - 3
    verdicts = [verdict for verdict in held.verdicts if verdict.status == runner.FAILED]
    told = sorted(verdict.error for verdict in verdicts)
    assert told[0].endswith("answers.json has no answer to it")
    assert told[1] == "ValueError: no"


def first_output(content):
    return next(iter(content["answers"][0]["outputs"].values()))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.update(protocol="golden/2"), "protocol must be 'golden/1'"),
        (lambda content: content.pop("implementation"), "implementation is missing"),
        (lambda content: content.pop("answers"), "no list of answers"),
        (lambda content: content.update(answers={}), "no list of answers"),
        (lambda content: content.update(answers=[3]), "no list of answers"),
        (lambda content: content["answers"].append(content["answers"][0]), "answered twice"),
        (lambda content: content["answers"][0].pop("case"), "answer 0 is to no case: None"),
        (
            lambda content: content["answers"][0].update(case=NAME + "s"),
            rf"answer 0 is to no case: {NAME}s; the nearest is {NAME}",
        ),
        (lambda content: content["answers"][0].pop("status"), "status must be"),
        (lambda content: first_output(content).update(shape=[2**30]), "letters of base64"),
        (lambda content: first_output(content).update(shape=[2**60]), "larger than any array"),
        (lambda content: first_output(content).update(data="AA=="), "letters of base64"),
        (lambda content: first_output(content).update(dtype="float8"), "dtype must be one of"),
    ],
)
def test_a_broken_file_of_answers_is_told_in_a_sentence(changed, change, words):
    with pytest.raises(exchange.UnreadableError, match=rf"answers\.json: .*{words}") as error:
        changed(change)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("part", [0, 1, 100, -2])
def test_a_cut_file_is_told_in_a_sentence(files, part):
    files[1].write_bytes(files[1].read_bytes()[:part])
    with pytest.raises(exchange.UnreadableError, match=r"answers\.json: .* is no JSON") as error:
        exchange.answered(files[1], CASES)
    assert "\n" not in str(error.value)


def test_a_broken_file_exits_2(tmp_path, capsys):
    (tmp_path / "answers.json").write_text("{")
    assert main(["check", "--answers", str(tmp_path / "answers.json"), "--filter", FILTER]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_does_not_end_is_read_no_further_than_answers_can_be(tmp_path):
    endless = tmp_path / "endless.json"
    with endless.open("wb") as stream:
        stream.truncate(2**40)  # a hole: it takes no space
    with pytest.raises(exchange.UnreadableError, match=r"endless\.json: larger than \d{8} bytes"):
        exchange.answered(endless, CASES)


def test_a_file_may_answer_less_than_all_and_more_than_is_filtered(files, capsys):
    assert main(["check", "--answers", str(files[1]), "--filter", NAME]) == 0
    assert main(["check", "--answers", str(files[1]), "--filter", "core:core.reduce/*"]) == 1
    assert "has no answer to it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"protocol": "golden/1", "requests": [{}]}', "request 0: case is missing"),
        ('{"protocol": "golden/1"}', "no list of requests"),
        ("[]", "no JSON object"),
        (None, "No such file"),
    ],
)
def test_broken_requests_are_told(tmp_path, content, words, capsys):
    cases = tmp_path / "cases.json"
    if content is not None:
        cases.write_text(content)
    assert main(["answer", "numpy64", str(cases), str(tmp_path / "answers.json")]) == 2
    assert words in capsys.readouterr().err


def test_what_json_does_not_hold_is_not_exported(tmp_path, capsys):
    case = "{function: f, options: {day: 2026-01-01}, outputs: {x: {dtype: f32, data: 1}}}"
    (tmp_path / "mine.yaml").write_text(f"groups: {{g: {{c: {case}}}}}")
    assert main(["export", str(tmp_path / "c.json"), "--fixtures", str(tmp_path)]) == 2
    assert "mine:g/c: options.day is a date, which JSON does not hold" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "no" / "c.json"), "--filter", NAME]) == 2
    assert "No such file" in capsys.readouterr().err
