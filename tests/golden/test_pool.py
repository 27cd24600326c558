"""Our implementations in several processes answer and raise what they do in one."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from golden import adapters, pool
from golden.__main__ import main
from golden.adapters import AnswerError, StartError, UnsupportedError, words_of
from golden.case import Case
from golden.loader import SHIPPED, load

CASES = load(SHIPPED, "core:core.[rs]*")
UNKNOWN = replace(CASES[0], name="unknown", function="nothing")
REFUSED = replace(CASES[0], name="refused", inputs={})
TWIN = replace(CASES[0], inputs={name: array + 1 for name, array in CASES[0].inputs.items()})


@pytest.fixture(scope="module")
def from_two():
    begun = [*CASES, UNKNOWN, REFUSED, TWIN]
    with pool.asked(["numpy64"], begun, 2) as (implementation,):
        yield implementation


def test_the_answers_are_those_of_one_process(from_two):
    here = adapters.implementation("numpy64")
    assert (from_two.name, from_two.versions, from_two.wide) == (here.name, here.versions, True)
    for case in CASES:
        wanted, had = here.answer(case), from_two.answer(case)
        assert had.keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_array_equal(had[name], array, strict=True)


def test_cases_of_one_address_each_have_their_own_answer(from_two):
    here = adapters.implementation("numpy64")
    assert TWIN.address == CASES[0].address
    for case in (TWIN, CASES[0]):
        for name, wanted in here.answer(case).items():
            np.testing.assert_array_equal(from_two.answer(case)[name], wanted, strict=True)
    first, second = (from_two.answer(case) for case in (TWIN, CASES[0]))
    assert any(not np.array_equal(first[name], second[name]) for name in first)


def test_what_was_not_begun_is_answered(from_two):
    case = replace(CASES[0], name="later")
    assert from_two.answer(case).keys() == case.outputs.keys()


def test_what_is_not_offered_and_what_is_raised_are_told_as_in_one_process(from_two):
    with pytest.raises(UnsupportedError, match="nothing"):
        from_two.answer(UNKNOWN)
    with pytest.raises(Exception) as here:  # noqa: PT011 # its own words are compared
        adapters.implementation("numpy64").answer(REFUSED)
    with pytest.raises(AnswerError) as there:
        from_two.answer(REFUSED)
    assert words_of(there.value) == words_of(here.value)


class Ends:
    """What ends a process that receives it."""

    def __reduce__(self):
        return os._exit, (3,)


def test_a_process_that_ends_is_told_in_one_sentence():
    case = Case("s", "g", "c", "f", {"ends": Ends()}, {}, {})
    with pool.asked(["numpy64"], [case], 2) as (implementation,):
        for one in (case, CASES[0]):
            with pytest.raises(StartError, match="asks numpy64 ended without an answer"):
                implementation.answer(one)


def test_no_process_outlives_the_one_that_asks():
    script = """
import sys
from golden import pool
from golden.loader import SHIPPED, load
cases = load(SHIPPED, "core:core.r*")
with pool.asked(["numpy64"], cases, 2) as (implementation,):
    implementation.answer(cases[0])
    print("asked", flush=True)
    sys.stdin.read()
"""
    asking = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert asking.stdout.readline() == b"asked\n"
    asking.kill()
    asking.communicate(timeout=20)  # its output ends when the last process that has it ends


def test_one_process_asks_here():
    with pool.asked(["numpy64"], CASES, 1) as (implementation,):
        assert implementation.answer is adapters.implementation("numpy64").answer


@pytest.mark.parametrize(("cases", "processes"), [(99, 1), (200, 2), (10_000, 3)])
def test_as_many_processes_as_are_worth_their_start(monkeypatch, cases, processes):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert pool.processes_for(cases) == processes


@pytest.mark.parametrize(
    ("platforms", "found"), [(["cpu"], True), (["gpu"], False), (["cpu", "gpu"], False), ([], True)]
)
def test_several_processes_are_for_processors(platforms, found):
    described = [{"versions": {"platform": platform}} for platform in platforms]
    assert pool.on_processors([*described, {"versions": {}}]) == found


def test_where_there_is_a_gpu_one_process_asks_but_as_many_as_it_is_told(monkeypatch):
    monkeypatch.setattr(pool, "on_processors", lambda _: False)
    monkeypatch.setattr(pool, "processes_for", lambda _: 2)
    here = adapters.implementation("numpy64").answer
    with pool.asked(["numpy64"], CASES[:1]) as (implementation,):
        assert implementation.answer is here
    with pool.asked(["numpy64"], CASES[:1], 2) as (implementation,):
        assert implementation.answer is not here


def test_what_cannot_be_asked_says_so_as_in_one_process():
    for processes in (1, 2):
        with (
            pytest.raises(StartError, match="nox -s parity_artifex"),
            pool.asked(["artifex"], CASES[:1], processes),
        ):
            pass


@pytest.mark.parametrize("processes", ["1", "2"])
def test_what_cannot_be_imported_is_one_sentence(tmp_path, processes):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['flax'] = None")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "golden", "check", "--implementation", "artifex_compat"]
    ended = subprocess.run(
        [*command, "--processes", processes],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("golden: artifex_compat cannot be imported: ModuleNotFoundError")
    assert ended.stderr.count("\n") == 1


def test_the_table_is_that_of_one_process(capsys):
    some = ["check", "--filter", "core:core.[rs]*", "--implementation", "numpy64", "--processes"]
    assert main([*some, "1"]) == 0
    wanted = capsys.readouterr().out
    assert main([*some, "2"]) == 0
    assert capsys.readouterr().out == wanted
    with pytest.raises(SystemExit, match="2"):
        main([*some, "0"])
    assert "--processes: must be a positive integer, not 0" in capsys.readouterr().err
