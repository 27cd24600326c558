"""The Elixir adapter: its protocol with stand-ins for Nx and Edifice, and that it knows every case.

Its numbers are for real Edifice to give: `golden check` with the adapter as an implementation.
"""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from golden import adapters, convention, exchange, loader

SCRIPT = Path(adapters.__file__).parent / "edifice.exs"
STUBS = Path(__file__).parent / "elixir"
ELIXIR = shutil.which("elixir")
CASES = [case for name in ("edifice", "polaris") for case in loader.load(pattern=f"{name}-*:*")]
FUNCTIONS = sorted({case.function for case in CASES})

needs_elixir = pytest.mark.skipif(ELIXIR is None, reason="elixir is not installed")


def elixir(*arguments, stdin=b""):
    return subprocess.run(
        [ELIXIR, *map(str, arguments)], input=stdin, capture_output=True, timeout=120, check=False
    )


def written(array):
    array = np.asarray(array)
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def read(entry):
    dtype = ml_dtypes.bfloat16 if entry["dtype"] == "bfloat16" else entry["dtype"]
    return np.frombuffer(base64.b64decode(entry["data"]), dtype).reshape(entry["shape"])


def request(number, function, outputs, options=None, **inputs):
    arrays = {name: written(array) for name, array in inputs.items()}
    message = {"id": number, "case": "s:g/c", "function": function, "options": options or {}}
    return json.dumps(message | {"inputs": arrays, "outputs": list(outputs)}).encode()


def run(*arguments, stdin=b""):
    """The adapter, with stand-ins for the packages that it needs."""
    files = ("-r", STUBS / "json.exs", "-r", STUBS / "stubs.exs", SCRIPT)
    return elixir(*files, *arguments, stdin=stdin)


def ask(*lines):
    """The handshake, and an answer to each line; the process has to end as it should."""
    ran = run(stdin=b"".join(line + b"\n" for line in lines))
    assert ran.returncode == 0, ran.stderr.decode()
    assert b"warning:" not in ran.stderr
    handshake, *answers = map(json.loads, ran.stdout.splitlines())
    assert len(answers) == len(lines)
    return handshake, answers, ran.stderr.decode()


@needs_elixir
def test_the_script_parses_and_is_formatted():
    check = (
        "text = File.read!(hd(System.argv())); Code.string_to_quoted!(text); "
        'true = IO.iodata_to_binary([Code.format_string!(text), "\\n"]) == text'
    )
    assert elixir("-e", check, SCRIPT).returncode == 0


@needs_elixir
def test_it_shakes_hands_and_ends_with_its_input():
    handshake, answers, _ = ask()
    assert handshake["protocol"] == "golden/1"
    assert handshake["implementation"] == "edifice"
    assert handshake["version"] == "0.2.0"
    assert handshake["platform"].startswith("Nx.BinaryBackend, nx 0.10.0, axon 0.8.0, polaris 0.1")
    assert answers == []


@needs_elixir
def test_one_answer_a_request_whatever_comes():
    short, long = np.zeros((2, 3), np.float32), np.zeros((3, 3), np.float32)
    _, answers, noise = ask(
        request(7, "random_key", ["key"], {"seed": 4294967301}),
        b"garbage \xff\xfe {",
        b"",
        b"[1]",
        request(8, "core.reduce.mean", ["value"]),
        request(9, "kl_divergence", ["kl"], mu=short, log_var=long),
        request(10, "random_key", ["key"], {"seed": 1, "depth": 2}),
        b'{"id": 11}',
        request(12, "kl_divergence", ["kl"], mu=short, log_var=short),
        request(13, "random_key", ["key"]),
        b'{"id": 14, "function": "kl_divergence", "outputs": ["kl"], "inputs": {"mu": 3}}',
    )
    key, *broken, unknown, raising, option, bare, kl, seedless, wrong = answers
    assert (key["id"], key["status"]) == (7, "ok")
    np.testing.assert_array_equal(read(key["outputs"]["key"]), np.uint32([1, 5]))
    assert [(one["id"], one["status"]) for one in broken] == [(None, "error")] * 3
    assert unknown == {
        "id": 8,
        "status": "unsupported",
        "reason": "no function core.reduce.mean",
    }
    assert raising == {"id": 9, "status": "error", "message": "ArgumentError: shapes differ"}
    assert option["reason"] == "random_key takes no depth"
    assert (bare["id"], bare["status"]) == (11, "error")
    assert (kl["id"], kl["status"]) == (12, "ok")
    assert "KeyError: key :seed not found" in seedless["message"]
    assert wrong["status"] == "error"
    # What a library prints or logs is not on stdout, where each line was an answer.
    assert "noise that is printed" in noise
    assert "noise that is logged" in noise


@needs_elixir
def test_floats_beyond_json_and_every_dtype_arrive():
    inputs = dict.fromkeys(("reconstruction", "target", "mu", "log_var"), np.float32([[1]]))
    dtypes = [np.dtype(f"{kind}{bits}") for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
    dtypes += [np.dtype(dtype) for dtype in (bool, np.float16, ml_dtypes.bfloat16, np.float64)]
    arrays = [np.ones((2, 1), dtype) for dtype in dtypes]
    infinite, *answers = ask(
        request(0, "loss", ["loss"], {"beta": {"float": "inf"}}, **inputs),
        *(request(1, "reparameterize", ["z"], {"seed": 1}, mu=a, log_var=a) for a in arrays),
    )[1]
    assert infinite["status"] == "ok"
    for answer, array in zip(answers, arrays, strict=True):
        z = read(answer["outputs"]["z"])
        assert z.dtype == (np.uint8 if array.dtype == bool else array.dtype)


@needs_elixir
def test_a_file_of_requests_is_answered_as_one_object(tmp_path):
    cases = CASES[:3]
    exchange.export(cases, tmp_path / "cases.json")
    ran = run(tmp_path / "cases.json")
    assert ran.returncode == 0
    (tmp_path / "answers.json").write_bytes(ran.stdout)
    answered = exchange.answered(tmp_path / "answers.json", cases)
    assert answered.name == "edifice"
    assert all(answered.answer(case).keys() == case.outputs.keys() for case in cases)


@needs_elixir
def test_what_is_no_file_of_requests_is_told_in_a_sentence(tmp_path):
    (tmp_path / "cases.json").write_text("[]")
    for arguments in (["nothing.json"], [tmp_path / "cases.json"], ["a", "b"]):
        ran = run(*arguments)
        assert (ran.returncode, ran.stdout) == (2, b"")
        assert ran.stderr.startswith(b"edifice.exs: ")
        assert ran.stderr.count(b"\n") == 1


@needs_elixir
def test_conventions_are_asked_where_edifice_has_them():
    questions = [question.case for question in convention.load()]
    _, answers, _ = ask(
        *(
            request(0, case.function, case.outputs, dict(case.options), **case.inputs)
            for case in questions
        )
    )
    places = {
        (case.function.removeprefix("convention."), case.options["place"])
        for case, answer in zip(questions, answers, strict=True)
        if answer["status"] == "ok"
    }
    assert places == {
        ("reconstruction", "loss"),
        ("kl", "loss"),
        ("kl_of_maps", "loss"),
        ("log_variance", "sample"),
        ("vector_quantization", "loss"),
    }


@needs_elixir
def test_every_recorded_case_is_answered_in_shape():
    requests = [
        request(number, case.function, case.outputs, dict(case.options), **case.inputs)
        for number, case in enumerate(CASES)
    ]
    _, answers, _ = ask(*requests)
    for number, (case, answer) in enumerate(zip(CASES, answers, strict=True)):
        assert (answer["id"], answer["status"]) == (number, "ok"), (case.id, answer)
        given = {name: read(entry) for name, entry in answer["outputs"].items()}
        assert given.keys() == case.outputs.keys()
        for name, array in case.outputs.items():
            # How Nx joins types is for real Nx to show.
            found = (given[name].shape, given[name].dtype.kind in "fV")
            assert found == (array.shape, array.dtype.kind in "fV"), f"{case.id}: {name}"


@needs_elixir
def test_it_offers_the_handwritten_cases_of_the_same_functions():
    cases = [case for case in loader.load() if case.function in (*FUNCTIONS, "activation")]
    cases = [case for case in cases if case.options.get("name", "tanh") == "tanh"]
    _, answers, _ = ask(
        *(
            request(0, case.function, case.outputs, dict(case.options), **case.inputs)
            for case in cases
        )
    )
    for case, answer in zip(cases, answers, strict=True):
        assert answer["status"] == "ok", (case.id, answer)
        assert answer["outputs"].keys() == case.outputs.keys(), case.id


def texts():
    """The text of each function of the script, by name; of `call`, by the name that is called."""
    found = {}
    for text in re.split(r"\n  defp? ", SCRIPT.read_text(encoding="utf-8"))[1:]:
        head, body = re.match(r'(call\("\w+"|\w+)(.*)', text, re.DOTALL).groups()
        found[head] = found.get(head, "") + body
    return found


def text_of(function):
    """The text of a clause of `call`, and of all functions of the script that it uses."""
    by_name, used, waiting = texts(), set(), {f'call("{function}"'}
    while waiting:
        used |= waiting
        names = set().union(*(re.findall(r"(?<![.\w])\w+(?=\()", by_name[n]) for n in waiting))
        waiting = names & by_name.keys() - used
    return "".join(by_name[name] for name in used)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_option_and_output_of_the_recorded_cases_is_known(function):
    cases = [case for case in CASES if case.function == function]
    script = SCRIPT.read_text(encoding="utf-8")
    names = re.search(rf'"{function}" =>\s+~w\(([\w\s]*)\)a(?: \+\+ @(\w+))?', script)
    known = names[1].split()
    if names[2]:
        known += re.search(rf"@{names[2]} ~w\(([\w\s]*)\)a", script)[1].split()
    assert {option for case in cases for option in case.options} <= set(known)

    text = text_of(function)
    for output in {output for case in cases for output in case.outputs}:
        # What of it stands in the script: layers are named by Edifice, gradients by their inputs.
        layer = re.match(r"((?:final/)?(?:encoder|decoder)/)\w+/\w+", output)
        gradient = output.removeprefix("grad_")
        assert f'"{layer[1] if layer else output}"' in text or (
            '"grad_"' in text and gradient != output and f'"{gradient}"' in text
        ), output
