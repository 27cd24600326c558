"""The commands that drive another process or draft its deviations, from their arguments on."""

import json
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from golden.__main__ import main

FAKE = Path(__file__).parent / "fakes" / "fake.py"
SERVED = shlex.join([sys.executable, "-m", "golden", "serve", "numpy64"])
SOME = ("--filter", "core:core.[rs]*")


@pytest.fixture
def echoes(tmp_path):
    """A folder of cases that the fake answers, all but two of them right."""
    array = "{dtype: f32, data: [1.0, 2.0]}"
    wrong = {"exact": "[1.0, 2.0]", "near": "[1.0, 2.0123]", "other": "[[1.0], [2.0]]"}
    cases = "\n".join(
        f"    {name}: {{function: echo, inputs: {{x: {array}}}, "
        f"outputs: {{x: {{dtype: f32, data: {data}}}}}}}"
        for name, data in wrong.items()
    )
    (tmp_path / "mine.yaml").write_text(f"groups:\n  echo:\n{cases}\n")
    return "--fixtures", str(tmp_path)


def fake(mode):
    return "--command", shlex.join([sys.executable, "-I", "-S", str(FAKE), mode])


def test_a_served_implementation_has_the_table_of_the_one_in_process(capsys):
    assert main(["check", *SOME, "--command", SERVED]) == 0
    served = capsys.readouterr().out.split("\n\n")[0]
    assert main(["check", *SOME, "--implementation", "numpy64"]) == 0
    assert capsys.readouterr().out.split("\n\n")[0] == served


def test_several_implementations_of_all_kinds_are_columns(capsys):
    assert main(["check", *SOME, "--implementation", "numpy64", "--command", SERVED]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["operation", "numpy64", "numpy64"]


def test_a_process_that_fails_exits_1_and_is_told(echoes, capsys):
    assert main(["check", *echoes, *fake("honest"), "--filter", "*/exact"]) == 0
    assert "fake: version 1, platform p" in capsys.readouterr().out
    assert main(["check", *echoes, *fake("end_by_failing"), "--filter", "*/exact"]) == 1
    assert "FAILED: the process ended with exit code 3 after" in capsys.readouterr().out


def test_a_process_that_cannot_be_started_exits_2(echoes, capsys):
    assert main(["check", *echoes, "--command", "./nothing"]) == 2
    assert main(["check", *echoes, *fake("hello")]) == 2
    error = capsys.readouterr().err
    assert "No such file" in error
    assert "gave no handshake in 3 starts: 'hello' is no JSON" in error


def test_a_draft_is_refused_until_it_is_finished_and_holds_then(echoes, tmp_path, capsys):
    assert main(["baseline", *echoes, *fake("honest")]) == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text)["deviations"] == [
        {
            "function": "echo",
            "case": ["mine:echo/near"],
            "kind": "?",
            "reason": "to be written",
            "output": ["x"],
            "bound": {"absolute": 0.013},
        },
        {
            "function": "echo",
            "case": ["mine:echo/other"],
            "kind": "?",
            "reason": "to be written",
            "output": ["x"],
            "bound": "any",
        },
    ]
    file = tmp_path / "draft.yml"
    check = ["check", *echoes, *fake("honest"), "--deviations", str(file)]
    file.write_text(text)
    assert main(check) == 2
    assert "deviation 1: kind must be one of" in capsys.readouterr().err
    file.write_text(text.replace("kind: '?'", "kind: precision"))
    assert main(check) == 0
    assert "1/3 FAILED" not in capsys.readouterr().out
    file.write_text(file.read_text().replace("absolute: 0.013", "absolute: 0.13"))
    assert main(check) == 1
    assert "more than 10 times too wide" in capsys.readouterr().out
    assert main([*check, "--filter", "*near"]) == 0


def test_a_draft_has_errors_and_names_what_nothing_excuses(tmp_path, capsys):
    text = (
        "groups: {g: {bad: {function: echo, inputs: {x: {dtype: f32, data: 1}}, "
        "outputs: {x: {dtype: f32, data: 1}}}}}"
    )
    (tmp_path / "mine.yaml").write_text(text)
    cases = "--fixtures", str(tmp_path)
    # The fake's answer is to request 2: this one is its first.
    assert main(["baseline", *cases, *fake("garbage")]) == 1
    assert "# No deviation excuses mine:g/bad: 'hello' is no JSON" in capsys.readouterr().out


def test_one_implementation_is_needed_where_one_is_meant(capsys, tmp_path):
    assert main(["baseline", *SOME]) == 2
    assert "golden baseline is for one --implementation" in capsys.readouterr().err
    file = tmp_path / "own.yaml"
    file.write_text("deviations: []")
    assert main(["check", *SOME, "--deviations", str(file)]) == 2
    assert "--deviations is for one --implementation" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_limit_is_a_number_of_seconds(seconds, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["check", f"--time-limit={seconds}"])
    assert stopped.value.code == 2
    assert "must be a number of seconds above 0" in capsys.readouterr().err


def test_a_report_in_json_has_null_for_what_is_not_finite(tmp_path):
    text = (
        "groups: {g: {bad: {function: echo, inputs: {x: {dtype: f32, data: [.nan]}}, "
        "outputs: {x: {dtype: f32, data: [1]}}}}}"
    )
    (tmp_path / "mine.yaml").write_text(text)
    file = tmp_path / "a.json"
    asked = ["check", "--fixtures", str(tmp_path), *fake("honest"), "--json", str(file)]
    assert main(asked) == 1
    (case,) = json.loads(file.read_text())["implementations"][0]["cases"]
    assert case["outputs"][0]["had"] is None


def test_a_file_that_cannot_be_written_is_told(echoes, tmp_path, capsys):
    asked = ["check", *echoes, *fake("honest"), "--filter", "*/exact", "--json", str(tmp_path)]
    assert main(asked) == 2
    assert "Is a directory" in capsys.readouterr().err
