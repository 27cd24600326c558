"""The tester is tested: processes that crash, hang and lie fail their case, and only that."""

import os
import re
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from golden import runner
from golden.adapters import Implementation, StartError
from golden.case import Case
from golden.deviation import Deviation
from golden.remote import Remote

FAKE = Path(__file__).parent / "fakes" / "fake.py"
ARRAYS = {
    "x": np.float32([[1, 2], [3, 4]]),
    "y": np.float32([[5, 6], [7, 8]]),
    "z": np.float32([np.nan, 1]),
}
CASES = [Case("s", "g", name, "echo", {}, ARRAYS, ARRAYS) for name in ("good", "bad", "next")]
PASSED, FAILED = runner.PASSED, runner.FAILED


def command(*arguments):
    return shlex.join([sys.executable, "-I", "-S", str(FAKE), *map(str, arguments)])


def ask(*arguments, cases=CASES, deviations=(), time_limit=60):
    """The run of some cases on a fake, and what was wrong at its end."""
    with Remote(command(*arguments), time_limit) as remote:
        run = runner.run(cases, remote.implementation, deviations)
        return run, remote.finish()


def statuses(run):
    return [verdict.status for verdict in run.verdicts]


def told(verdict):
    """What a report would say of a verdict."""
    problems = (o.difference.problem for o in verdict.outputs if o.difference)
    return " ".join((verdict.error, *problems))


@pytest.mark.parametrize("mode", ["honest", "more", "flood_stderr"])
def test_an_honest_process_passes_whatever_else_it_says(mode):
    run, wrong = ask(mode)
    assert (statuses(run), wrong) == ([PASSED] * 3, "")
    assert run.implementation.name == "fake"
    assert run.implementation.versions == {"version": "1", "platform": "p"}


BROKEN = {
    "crash": r"^ended with exit code 3 without an answer\n      first\n      out of luck.\[31m$",
    "exit": "ended with exit code 0 without an answer",
    "signal": "was ended by SIGSEGV",
    "half_a_line_and_end": "ended with exit code 0 without an answer",
    "endless": r"wrote a line of more than 1049216 bytes",
    "garbage": "'hello' is no JSON",
    "empty_line": "'' is no JSON",
    "not_utf8": "is no JSON",
    "array": "is no JSON object",
    "nested": "is no JSON",
    "huge_number": "is no JSON",
    "not_a_number": "NaN is no number of JSON",
    "twice_in_one": "'id' stands twice",
    "no_id": "id is missing",
    "wrong_id": "answered id 3 where 2 was asked",
    "old_id": "answered id 1 where 2 was asked",
    "text_id": "id must be an integer, not '2'",
    "true_id": "id must be an integer, not True",
    "no_outputs": "outputs is missing",
    "maybe": "status must be .*, not 'maybe'",
    "object": "output z: dtype must be one of bool, .*, not 'object'",
    "huge": r"data of float32\[1073741824\] must be 5726623064 letters of base64, not 12",
    "huger": "larger than any array",
    "huge_and_empty": "larger than any array",
    "many_axes": "larger than any array",
    "negative": "shape must be a list of integers from 0",
    "true_shape": "shape must be a list of integers from 0",
    "cut": r"must be 12 letters of base64, not 8",
    "not_base64": "no base64 of the standard alphabet",
    "other_padding": "no base64 of 8 bytes",
    "no_text": r"must be 12 letters of base64, not \[1, 2\]",
    "no_array": "an array has dtype, shape and data",
    "two_for_a_bool": "a bool is a byte of 0 or 1",
}


@pytest.mark.parametrize("mode", BROKEN)
def test_what_is_no_answer_fails_its_case_alone(mode):
    run, wrong = ask(mode)
    assert (statuses(run), wrong) == ([PASSED, FAILED, PASSED], "")
    assert run.verdicts[1].broken
    assert re.search(BROKEN[mode], told(run.verdicts[1]))


@pytest.mark.parametrize("mode", ["hang", "late", "half_a_line", "close_stdin"])
def test_what_takes_too_long_fails_its_case_alone(mode):
    run, wrong = ask(mode, time_limit=2)
    assert (statuses(run), wrong) == ([PASSED, FAILED, PASSED], "")
    assert told(run.verdicts[1]) == "gave no answer within 2 s"


def test_a_closed_output_is_noticed_before_the_time_limit():
    run, _ = ask("close_stdout")
    assert statuses(run) == [PASSED, FAILED, PASSED]
    assert told(run.verdicts[1]) == "closed its output without an answer"


WRONG = {
    "missing": "",
    "swapped": "",
    "transposed": "",
    "flat": r"wanted f32\[2, 2\], had f32\[4\]",
    "nan_for_a_number": "",
    "number_for_nan": "",
    "double": r"wanted f32\[2\], had f64\[1\]",
    "integer": r"wanted f32\[2\], had s32\[2\]",
    "error": "^ValueError: no luck",
}


@pytest.mark.parametrize("mode", WRONG)
def test_a_wrong_answer_fails_its_case(mode):
    run, wrong = ask(mode)
    assert (statuses(run), wrong) == ([PASSED, FAILED, PASSED], "")
    assert not run.verdicts[1].broken
    assert re.search(WRONG[mode], told(run.verdicts[1]))


def test_what_is_unsupported_is_neither():
    assert statuses(ask("unsupported")[0]) == [PASSED, runner.UNSUPPORTED, PASSED]


def test_an_answer_too_many_fails_the_next_case():
    run, _ = ask("twice", cases=[*CASES, CASES[0]])
    assert statuses(run) == [PASSED, PASSED, FAILED, PASSED]
    # The second one may be there before the next request is written, or after.
    assert re.search("^answered (id 2 where 3|before it had read)", told(run.verdicts[2]))


def test_a_declared_refusal_excuses_an_error_and_never_a_crash():
    refused = Deviation("echo", "convention", "r", case=("g/bad",), refused="*")
    assert statuses(ask("error", deviations=[refused])[0])[1] == runner.DECLARED
    assert statuses(ask("crash", deviations=[refused])[0])[1] == FAILED


def test_what_a_process_started_ends_with_it(tmp_path):
    growing = tmp_path / "growing"
    run, _ = ask("child", growing)
    assert statuses(run) == [PASSED, FAILED, PASSED]
    size = growing.stat().st_size
    time.sleep(0.2)
    assert growing.stat().st_size == size


def large(name):
    arrays = {"x": np.arange(2**19, dtype=np.float32)}
    return Case("s", "g", name, "echo", {}, arrays, arrays)


def test_requests_and_answers_larger_than_a_pipe_pass_both_ways():
    assert statuses(ask("flood_stderr", cases=[large("good"), large("bad")])[0]) == [PASSED] * 2


def test_a_process_that_reads_nothing_and_complains_does_not_block():
    run, _ = ask("deaf", cases=[large("good")], time_limit=1)
    assert told(run.verdicts[0]).splitlines()[0] == "gave no answer within 1 s"
    assert "I am not listening" in told(run.verdicts[0])


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("hello", "'hello' is no JSON"),
        ("mix", "'==> edifice' is no JSON, but what Mix says .*: run `mix compile` before"),
        ("golden_2", "protocol must be 'golden/1', not 'golden/2'"),
        ("no_version", "version is missing"),
        ("no_name", "implementation must be a name"),
        ("wide_is_1", "wide must be true or false, not 1"),
        ("products_of_bf16", "products must be one of f32, tf32, not 'bf16'"),
        ("endless_handshake", "a line of more than 65536 bytes"),
    ],
)
def test_without_a_handshake_nothing_is_asked(mode, words):
    with pytest.raises(StartError, match=f"gave no handshake in 3 starts: .*{words}"):
        ask(mode)


def test_a_handshake_must_come_in_time():
    with pytest.raises(StartError, match=r"gave no answer within 0\.2 s"):
        ask("no_handshake", time_limit=0.2)


def test_a_process_stays_who_it_was():
    with pytest.raises(StartError, match="a handshake that is not the first one's"):
        ask("new_name")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "must name a program"), ("'", "No closing quotation"), ("./nothing", "No such file")],
)
def test_what_cannot_be_started_is_told(text, words):
    with pytest.raises(StartError, match=words), Remote(text):
        pass


@pytest.mark.parametrize(
    ("mode", "time_limit", "words"),
    [
        ("end_by_failing", 60, "ended with exit code 3 after the end of its input"),
        ("end_by_talking", 60, "wrote a line that nothing asked for"),
        ("end_by_hanging", 1, "did not end within 1 s of the end of its input"),
    ],
)
def test_the_end_is_part_of_the_protocol(mode, time_limit, words):
    with Remote(command(mode), time_limit) as remote:
        assert remote.finish() == words


def test_no_process_outlives_an_error_of_ours():
    def interrupted(_):
        raise KeyboardInterrupt

    implementation = Implementation("fake", interrupted, {})
    remote = Remote(command("honest"))
    with pytest.raises(KeyboardInterrupt), remote:
        runner.run(CASES, implementation, ())
    process, _ = remote._running
    with pytest.raises(ProcessLookupError):
        os.killpg(process._popen.pid, 0)
