"""`python -m golden`: what it prints, and its exit codes."""

import json
import shutil

import numpy as np
import pytest

from golden import adapters
from golden.__main__ import main
from golden.loader import SHIPPED

EDIFICE = SHIPPED[0]
KL = ("--filter", "kl_divergence/2x3*", "--implementation", "numpy64")


@pytest.fixture
def altered(tmp_path):
    """The recorded fixtures with one array replaced by what a function makes of it."""

    def altered(name, change):
        shutil.copy(EDIFICE / "edifice-0.2.0.yaml", tmp_path / "theirs.yaml")
        with np.load(EDIFICE / "edifice-0.2.0.npz") as arrays:
            np.savez(tmp_path / "theirs.npz", **{**arrays, name: change(arrays[name])})
        return tmp_path

    return altered


def test_cases_that_hold_exit_0_and_are_in_the_table(capsys):
    assert main(["check", "--filter", "kl_divergence/2x3*"]) == 0
    printed = capsys.readouterr().out
    header, _, row = printed.splitlines()[:3]
    assert header.split() == ["operation", *adapters.NAMES]
    assert row.split()[:3] == ["kl_divergence", "f32", "2/2"]
    assert "jax" in printed


def test_a_case_that_fails_exits_1_and_names_the_worst_element(altered, capsys):
    folder = altered("loss_grad/beta_4/out/grad_mu", lambda a: a + np.eye(8, 4, -2, a.dtype))
    assert main(["check", "--fixtures", str(folder), "--filter", "loss_grad/*"]) == 1
    printed = capsys.readouterr().out
    assert "1/2 FAILED" in printed
    assert "FAILED theirs:loss_grad/beta_4" in printed
    assert "grad_mu (value): off by 1, " in printed
    assert "worst at [" in printed


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("kl_divergence/2x3_f32/out/kl", lambda a: a * np.float32(np.nan), 1),
        ("kl_divergence/2x3_f32/out/kl", lambda a: a * np.float32(1.00001), 1),
        ("random.key/seed_1/out/key", lambda a: a ^ 1, 1),
        ("random.uniform/2x3_f32/out/value", lambda a: np.nextafter(a, a + 1), 1),
        ("random.key/seed_1/out/key", lambda a: a.astype("i4"), 2),
    ],
)
def test_no_kind_of_difference_passes(altered, name, change, code, capsys):
    folder = altered(name, change)
    assert main(["check", "--fixtures", str(folder), "--implementation", "numpy64"]) == code
    capsys.readouterr()


def test_fail_fast_stops_at_the_first(altered, capsys):
    folder = altered("random.key/seed_0/out/key", lambda a: a + 1)
    assert main(["check", "--fixtures", str(folder), "--fail-fast"]) == 1
    assert "0/1 FAILED" in capsys.readouterr().out


def test_json_holds_the_whole_run(tmp_path, capsys):
    file = tmp_path / "run.json"
    assert main(["check", *KL, "--json", str(file)]) == 0
    (run,) = json.loads(file.read_text())["implementations"]
    assert run["name"] == "numpy64"
    assert run["counts"] == {"passed": 2, "declared": 0, "failed": 0, "unsupported": 0}
    output = run["cases"][0]["outputs"][0]
    assert output["name"] == "kl"
    assert output["max_absolute"] < 1e-6
    assert output["max_ulp"] < 4
    assert output["index"] == []
    capsys.readouterr()


def test_unreadable_fixtures_exit_2_with_one_sentence(tmp_path, capsys):
    (tmp_path / "broken.yaml").write_text("groups: [")
    assert main(["check", "--fixtures", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("golden: ")
    assert error.count("\n") == 1


def test_a_filter_that_matches_nothing_is_no_pass(capsys):
    assert main(["check", "--filter", "kl_divegence/*"]) == 2
    assert "no case matches 'kl_divegence/*'" in capsys.readouterr().err


def test_an_unknown_implementation_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--implementation", "torch"])
    assert stopped.value.code == 2
    assert "numpy64" in capsys.readouterr().err


def test_list_names_every_case(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "edifice-0.2.0:train/adam_20_steps  train" in lines
    assert any(line.startswith("core:core.gaussian/free_bits  ") for line in lines)


def test_what_an_implementation_does_not_offer_is_no_failure_but_no_pass_alone(tmp_path, capsys):
    unknown = "c: {function: fly, outputs: {x: {dtype: f32, data: 1}}}"
    known = (
        "k: {function: random_key, options: {seed: 3}, outputs: {key: {dtype: u32, data: [0, 3]}}}"
    )
    (tmp_path / "theirs.yaml").write_text(f"groups: {{g: {{{unknown}}}}}")
    assert main(["check", "--fixtures", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "golden: no implementation has any of fly\n"
    (tmp_path / "theirs.yaml").write_text(f"groups: {{g: {{{unknown}}}, random: {{{known}}}}}")
    assert main(["check", "--fixtures", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[2].split() == ["g", "f32", "-", "-", "-"]


def test_our_deviations_need_not_be_needed_beside_foreign_cases(tmp_path, capsys):
    # Nothing is drawn, so that the deviation of float64 normals is idle.
    options = "{seed: 3, shape: [0], dtype: f64}"
    outputs = "{value: {dtype: f64, data: []}}"
    case = f"c: {{function: random_normal, options: {options}, outputs: {outputs}}}"
    (tmp_path / "theirs.yaml").write_text(f"groups: {{g: {{{case}}}}}")
    asked = ("check", "--fixtures", str(tmp_path), "--implementation", "numpy64")
    assert main([*asked]) == 0
    idle = "{function: random_normal, kind: precision, reason: r, bound: any}"
    (tmp_path / "declared").write_text(f"deviations: [{idle}]")
    assert main([*asked, "--deviations", str(tmp_path / "declared")]) == 1
    assert "a deviation is declared that is not needed" in capsys.readouterr().out


def test_a_place_for_json_that_is_not_there_is_told_before_anything_runs(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--json", "nowhere/run.json"])
    assert stopped.value.code == 2
    assert "there is no folder nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    "function", ["core.gaussian", "core.gaussian.nope", "core.nope.x", "core.a.b.c"]
)
def test_a_formula_that_is_not_there_is_unsupported(tmp_path, function, capsys):
    case = f"c: {{function: {function}, outputs: {{value: {{dtype: f32, data: 1}}}}}}"
    (tmp_path / "theirs.yaml").write_text(f"groups: {{g: {{{case}}}}}")
    assert main(["check", "--fixtures", str(tmp_path)]) == 2
    capsys.readouterr()
