"""`golden lint`: each thing that is wrong with a file of cases, in one line."""

from copy import deepcopy

import numpy as np
import pytest
import yaml

from golden.__main__ import main
from golden.lint import lint

CASE = {
    "function": "kl_divergence",
    "why": "the smallest",
    "inputs": {"mu": "f32[2]", "log_var": "f32[2]"},
    "outputs": {"kl": "f32[]"},
}
PATH = "kl/a"
ARRAYS = {f"{PATH}/in/mu": np.float32([1, 2]), f"{PATH}/in/log_var": np.float32([0, 0])}
ARRAYS[f"{PATH}/out/kl"] = np.float32(3)
KEY = {"dtype": "u32", "data": [0, 3]}


@pytest.fixture
def findings(tmp_path):
    """What is wrong with one case, or with groups."""

    def findings(arrays=ARRAYS, groups=None, provenance=None, **changes):
        case = {name: value for name, value in (CASE | changes).items() if value is not None}
        content = {"groups": groups or {"kl": {"a": case}}, "provenance": provenance or {}}
        file = tmp_path / "mine.yaml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        np.savez(tmp_path / "mine.npz", **arrays)
        found = [str(finding) for finding in lint([file])]
        assert all(line.startswith(f"{file}:") and "\n" not in line for line in found)
        return [line.removeprefix(f"{file}:") for line in found]

    return findings


def test_a_good_file_is_clean(findings):
    assert findings() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"function": "kl_divegence"}, "unknown function kl_divegence; the nearest is kl_diverg"),
        ({"function": "core.gaussian.klperdim"}, "golden.reference has no such formula"),
        ({"function": "core.gaussian.kl_per_dimension"}, "missing a required argument: 'mean'"),
        ({"function": None}, "there is no function; the group's name kl would stand for it"),
        ({"function": ["f"]}, "function must be a name, not ['f']"),
        ({"reason": "x"}, "unknown entry reason"),
        ({"option": {}}, "unknown entry option; the nearest is options"),
        ({"options": {"beta": 1}}, "unknown option beta"),
        ({"why": None}, "there is no why"),
        ({"why": ""}, "there is no why"),
        ({"inputs": {"mu": "f32[2]"}}, "the input log_var is missing"),
        ({"inputs": {**CASE["inputs"], "nu": "f32[2]"}}, "mine.npz has no array kl/a/in/nu"),
        ({"inputs": {**CASE["inputs"], "mu": "f32[3]"}}, "is declared as f32[3], stored as float3"),
        ({"inputs": {**CASE["inputs"], "mu": "f33[2]"}}, "unknown dtype 'f33'"),
        ({"outputs": {}}, "outputs must be a mapping"),
        ({"outputs": {"k": {"dtype": "f32", "data": 1}}}, "unknown output k; the nearest is kl"),
        ({"options": {"seed": {1: 2}}}, "options.seed is a dict, which JSON does not hold"),
        ({"options": {"seed": {"float": "nan"}}}, "options.seed has the one name float"),
    ],
)
def test_each_wrong_thing_is_told_with_its_case(findings, changes, words):
    found = findings(**changes)
    assert any(line.startswith("kl/a: ") and words in line for line in found), found


def test_what_is_not_finite_must_be_said(findings):
    arrays = ARRAYS | {"kl/a/out/kl": np.float32(np.inf)}
    words = "kl/a: output kl has NaN or infinities, and why does not speak of them"
    assert findings(arrays) == [words]
    assert findings(arrays, why="information is not enough") == [words]
    assert findings(arrays, why="exp overflows: the answer is inf") == []


def test_a_recorded_file_needs_no_reasons(findings):
    assert findings(why=None, provenance={"date": "2026-11-20"}) == []


def test_arrays_that_nothing_uses_are_told(findings):
    arrays = ARRAYS | {"kl/b/in/mu": np.float32(1)}
    assert findings(arrays) == [": the npz file has an array that no case uses: kl/b/in/mu"]


def test_two_ways_to_one_id_are_told(findings):
    case = {"function": "random_key", "why": "w", "options": {"seed": 3}, "outputs": {"key": KEY}}
    found = findings({}, {"a": {"b/c": case}, "a/b": {"c": deepcopy(case)}, "empty": {}})
    assert found == [
        "a/b/c: another group and case have the same id",
        "empty: there is no case in this group",
    ]


def test_files_of_one_name_are_told(findings, tmp_path):
    findings()
    (tmp_path / "more").mkdir()
    for suffix in ("yaml", "npz"):
        copied = (tmp_path / f"mine.{suffix}").read_bytes()
        (tmp_path / "more" / f"mine.{suffix}").write_bytes(copied)
    (found,) = lint([tmp_path, tmp_path / "more"])
    assert "rename one file" in str(found)


def test_the_exit_code_is_1_with_findings_and_2_where_nothing_can_be_read(
    findings, tmp_path, capsys
):
    findings()
    assert main(["lint", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    findings(why=None)
    assert main(["lint", str(tmp_path / "mine.yaml")]) == 1
    assert capsys.readouterr().out.count("\n") == 1
    (tmp_path / "mine.npz").write_bytes(b"PK")
    assert main(["lint", str(tmp_path)]) == 2
    assert main(["lint", str(tmp_path / "nothing.yaml")]) == 2
    (tmp_path / "mine.yaml").write_text("groups: {a: {}, a: {}}")
    assert main(["lint", str(tmp_path)]) == 2
    assert "'a' stands twice" in capsys.readouterr().err
