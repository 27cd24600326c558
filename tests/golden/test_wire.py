"""The forms of messages: what is written is what is read."""

import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import wire
from golden.adapters import AnswerError, Implementation, UnsupportedError, numpy64
from golden.arrays import DTYPES
from golden.base64_arrays import decode, encode
from golden.case import Case
from golden.serve import handshake_of, serve

README = Path(__file__).parents[2] / "golden" / "README.md"


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4), (1, 1, 1)])
def test_arrays_of_every_dtype_come_back(dtype, shape):
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    back = decode(json.loads(json.dumps(encode(array))))
    assert (back.dtype, back.shape) == (dtype, shape)
    assert back.tobytes() == array.tobytes()


def test_arrays_are_written_row_major_and_little_endian():
    array = np.array([[1, 2], [3, 4]], ">i2").T
    assert encode(array) == {"dtype": "int16", "shape": [2, 2], "data": "AQADAAIABAA="}


SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text()
)
LISTED = SCALAR | st.lists(SCALAR)
PLAIN = LISTED | st.lists(LISTED) | st.dictionaries(st.text(), LISTED)


@given(PLAIN)
def test_options_come_back_as_they_were(value):
    case = Case("s", "g", "c/d", "f", {"a": {"b": value, "c": 1}}, {}, {"y": np.float32(1)})
    try:
        message = wire.request(1, case)
    except wire.ProtocolError as error:
        assert "the one name float" in str(error)  # noqa: PT017 # it may also be fine
        return
    back = wire.case_of(wire.parse(wire.line(message)))
    assert (back.source, back.id, back.function) == ("s", "g/c/d", "f")
    assert repr(back.options) == repr(case.options)
    assert list(back.outputs) == ["y"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_floats_that_json_does_not_hold_have_a_form(number):
    message = wire.request(1, Case("s", "g", "c", "f", {"a": [number]}, {}, {}))
    assert message["options"] == {"a": [{"float": str(number)}]}
    assert repr(wire.case_of(message).options["a"][0]) == repr(number)


@pytest.mark.parametrize("word", ["none", [1], None])
def test_other_words_are_no_floats(word):
    message = wire.request(1, Case("s", "g", "c", "f", {}, {}, {}))
    with pytest.raises(wire.ProtocolError, match="float"):
        wire.case_of({**message, "options": {"a": {"float": word}}})


def answers_to(*lines):
    """What a served implementation, which answers the options, says to lines."""

    def answer(case):
        return {name: np.float32(value) for name, value in case.options.items()}

    said = io.BytesIO()
    implementation = Implementation("fake", answer, {"fake": "1", "platform": "p"})
    serve(implementation, io.BytesIO(b"".join(lines)), said)
    return [json.loads(line) for line in said.getvalue().splitlines()]


def request(options, outputs):
    return wire.line(wire.request(7, Case("s", "g", "c", "f", options, {}, outputs)))


def test_an_implementation_is_served():
    lines = request({"a": 1, "b": 2}, {"a": 0, "c": 0}), request({"a": "x"}, {"a": 0})
    handshake, right, wrong = answers_to(*lines)
    assert handshake == {
        "protocol": "golden/1",
        "implementation": "fake",
        "version": "fake 1",
        "platform": "p",
        "wide": False,
        "products": "f32",
    }
    assert right == {"id": 7, "status": "ok", "outputs": {"a": encode(np.float32(1))}}
    assert wrong["status"] == "error"
    assert wrong["message"].startswith("ValueError: ")


def test_products_are_told_once_and_stay_with_who_declares_them():
    versions = {"fake": "1", "platform": "p", "products": "tf32"}
    said = handshake_of(Implementation("fake", lambda _: {}, versions, products="tf32"))
    assert (said.version, said.products) == ("fake 1", "tf32")
    assert said.versions == {"version": "fake 1", "platform": "p", "products": "tf32"}


@pytest.mark.parametrize("line", [b"{}", b"{}\n", b'{"id": 1}\n', b"hello\n"])
def test_a_line_that_is_no_request_ends_it(line):
    with pytest.raises(wire.ProtocolError):
        answers_to(line)


def examples():
    """The protocol's lines in the README."""
    blocks = re.findall(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return [json.loads(line) for block in blocks for line in block.strip().splitlines()]


def test_the_lines_of_the_readme_are_of_the_protocol():
    handshake, request, answer, unsupported, error, cases, answers = examples()
    assert wire.read_handshake(handshake).implementation == "edifice"
    case = wire.case_of(request)
    outputs = wire.outputs_of(answer, ["kl"])
    np.testing.assert_array_equal(outputs["kl"], numpy64.answer(case)["kl"])
    assert wire.request(7, replace(case, outputs=outputs)) == request
    with pytest.raises(UnsupportedError, match="no vector quantizer"):
        wire.outputs_of(unsupported, [])
    with pytest.raises(AnswerError, match="ArgumentError: shapes differ"):
        wire.outputs_of(error, [])
    assert wire.case_of(cases["requests"][0]).function == "core.gaussian.free_bits"
    assert wire.read_handshake(answers).version == "0.2.0"


ANSWER = wire.line({"id": 1, "status": "ok", "outputs": {"y": encode(np.float32([1, 2]))}})


@given(st.integers(0, len(ANSWER) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_changed_line_is_refused_in_a_sentence_or_harmless(place, inserted, removed):
    changed = ANSWER[:place] + inserted + ANSWER[place + removed :]
    try:
        answer = wire.parse(changed)
        wire.number_of(answer)
        outputs = wire.outputs_of(answer, ["y"])
    except wire.ProtocolError as error:
        assert "\n" not in str(error)  # noqa: PT017 # it may also be harmless
    else:
        assert all(array.nbytes < len(changed) for array in outputs.values())


def test_what_others_wrote_is_printed_in_one_line_of_some_length():
    assert wire.words("a\n b\t\x1b[31m c") == "a b \N{REPLACEMENT CHARACTER}[31m c"
    assert len(wire.words("x" * 10**6)) < 1100
