"""The protocol `golden/1`: what the runner and an implementation write to each other, as JSON.

The README's section on the protocol is its text. Here are the forms of its messages, for both
sides; nothing larger than a message is ever allocated to read it.
"""

import json
import math
import reprlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from golden.adapters import PRODUCTS, Answer, AnswerError, Implementation, UnsupportedError
from golden.arrays import Array
from golden.base64_arrays import ArrayError, decode, encode
from golden.case import Case

PROTOCOL = "golden/1"
MOST_HANDSHAKE_BYTES = 2**16
_MARGIN_BYTES = 2**20
_BYTES_A_BYTE = 16
_MARGIN_BYTES_OF_A_FILE = 2**24
_MOST_WORDS = 1000
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class ProtocolError(Exception):
    """A message that is not of the protocol, and why, in one sentence."""


@dataclass(frozen=True)
class Handshake:
    """What an implementation says of itself."""

    implementation: str
    version: str
    platform: str = ""
    wide: bool = False
    products: str = "f32"

    @property
    def versions(self) -> dict[str, str]:
        """What was tested, as a report says it."""
        platform = {"platform": self.platform} if self.platform else {}
        products = {"products": self.products} if self.products != "f32" else {}
        return {"version": self.version} | platform | products

    def as_implementation(self, answer: Answer) -> Implementation:
        """What introduced itself so, and answers so."""
        name, versions = self.implementation, self.versions
        return Implementation(name, answer, versions, wide=self.wide, products=self.products)

    def as_json(self) -> dict[str, Any]:
        """The message."""
        return {"protocol": PROTOCOL, **vars(self)}


def line(message: Mapping[str, Any]) -> bytes:
    """A message as a line."""
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def parse(text: bytes) -> dict[str, Any]:
    """The message that a line, or a file, holds.

    Raises:
        ProtocolError: it is no JSON object in UTF-8, or says a name twice.
    """
    try:
        message = json.loads(
            text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as error:
        mix = ", but what Mix says when it compiles: run `mix compile` before"
        hint = mix if text.startswith((b"==> ", b"Compiling ")) else f": {words(str(error))}"
        raise ProtocolError(f"{_start(text)} is no JSON{hint}") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"{_start(text)} is no JSON object")
    return message


def read_handshake(message: Mapping[str, Any]) -> Handshake:
    """The handshake that a message is.

    Raises:
        ProtocolError: it is of another protocol, or an entry is missing or of another type.
    """
    if message.get("protocol") != PROTOCOL:
        given = words(reprlib.repr(message.get("protocol")))
        raise ProtocolError(f"protocol must be {PROTOCOL!r}, not {given}")
    for name in ("implementation", "version"):
        _entry(message, name, str)
    optional = {
        name: _entry(message, name, kind)
        for name, kind in (("platform", str), ("wide", bool), ("products", str))
        if name in message
    }
    implementation, version = words(message["implementation"]), words(message["version"])
    if not implementation:
        raise ProtocolError("implementation must be a name, not an empty string")
    platform = words(optional.get("platform", ""))
    products = optional.get("products", "f32")
    if products not in PRODUCTS:
        given = words(reprlib.repr(products))
        raise ProtocolError(f"products must be one of {', '.join(PRODUCTS)}, not {given}")
    wide = optional.get("wide", False)
    return Handshake(implementation, version, platform, wide=wide, products=products)


def request(number: int, case: Case) -> dict[str, Any]:
    """The message that asks for a case.

    Raises:
        ProtocolError: an option is nothing that JSON holds.
    """
    return {
        "id": number,
        "case": case.address,
        "function": case.function,
        "options": _plain(dict(case.options), "options"),
        "inputs": {name: encode(array) for name, array in case.inputs.items()},
        "outputs": list(case.outputs),
    }


def most_answer_bytes(case: Case) -> int:
    """How long an answer may be: 1 MiB, and 16 bytes for each byte that is wanted."""
    return _MARGIN_BYTES + _BYTES_A_BYTE * sum(array.nbytes for array in case.outputs.values())


def most_answers_bytes(cases: Iterable[Case]) -> int:
    """How long a file of answers may be: 16 MiB, and 16 bytes for each byte that is wanted."""
    wanted = sum(array.nbytes for case in cases for array in case.outputs.values())
    return _MARGIN_BYTES_OF_A_FILE + _BYTES_A_BYTE * wanted


def outputs_of(answer: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Array]:
    """The wanted outputs that an answer has; others are passed over.

    Raises:
        UnsupportedError: the answer is that there are none.
        AnswerError: the answer is that the call failed.
        ProtocolError: it is no answer.
    """
    status = answer.get("status")
    if status == "unsupported":
        raise UnsupportedError(words(_entry(answer, "reason", str)))
    if status == "error":
        raise AnswerError(words(_entry(answer, "message", str)))
    if status != "ok":
        given = words(reprlib.repr(status))
        raise ProtocolError(f'status must be "ok", "unsupported" or "error", not {given}')
    outputs = _entry(answer, "outputs", dict)
    found = {}
    for name in wanted:
        if name in outputs:
            try:
                found[name] = decode(outputs[name])
            except ArrayError as error:
                raise ProtocolError(f"output {name}: {error}") from error
    return found


def number_of(message: Mapping[str, Any]) -> int:
    """The id of a request or an answer.

    Raises:
        ProtocolError: it has none.
    """
    number: int = _entry(message, "id", int)
    return number


def case_of(message: Mapping[str, Any]) -> Case:
    """The case that a request asks for; its outputs have names, and no values.

    Raises:
        ProtocolError: it is no request.
    """
    source, _, path = _entry(message, "case", str).partition(":")
    group, _, name = path.partition("/")
    inputs = {}
    for label, array in _entry(message, "inputs", dict).items():
        try:
            inputs[label] = decode(array)
        except ArrayError as error:
            raise ProtocolError(f"input {label}: {error}") from error
    outputs = _entry(message, "outputs", list)
    if not all(isinstance(output, str) for output in outputs):
        raise ProtocolError("outputs must be a list of names")
    return Case(
        source=source,
        group=group,
        name=name,
        function=_entry(message, "function", str),
        options=_restored(_entry(message, "options", dict)),
        inputs=inputs,
        outputs=dict.fromkeys(outputs, decode({"dtype": "bool", "shape": [0], "data": ""})),
    )


def words(text: str) -> str:
    """What others wrote, fit to be printed: in one line, of at most 1000 characters."""
    joined = " ".join(text.split())
    cut = joined if len(joined) <= _MOST_WORDS else joined[:_MOST_WORDS] + " ..."
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def _entry(message: Mapping[str, Any], name: str, kind: type) -> Any:
    if name not in message:
        raise ProtocolError(f"{name} is missing")
    if type(message[name]) is not kind:
        given = words(reprlib.repr(message[name]))
        named = {str: "a string", dict: "an object", list: "an array", int: "an integer"}
        raise ProtocolError(f"{name} must be {named.get(kind, 'true or false')}, not {given}")
    return message[name]


def _plain(value: Any, path: str) -> Any:
    """An option as JSON: floats that it cannot hold as `{"float": "nan"}`."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        if value.keys() == {"float"}:
            raise ProtocolError(f"{path} has the one name float, which the protocol uses itself")
        return {name: _plain(item, f"{path}.{name}") for name, item in value.items()}
    raise ProtocolError(f"{path} is a {type(value).__name__}, which JSON does not hold")


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if isinstance(value, dict):
        if value.keys() == {"float"}:
            name = _entry(value, "float", str)
            if name not in _FLOATS:
                raise ProtocolError(f"a float in a word is {', '.join(_FLOATS)}, not {words(name)}")
            return _FLOATS[name]
        return {name: _restored(item) for name, item in value.items()}
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"{twice!r} stands twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _start(text: bytes) -> str:
    return repr(words(text[:60].decode("utf-8", "replace")))
