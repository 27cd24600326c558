"""Cases and answers in files, for implementations that no pipe reaches."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from golden import wire
from golden.adapters import (
    AnswerError,
    BrokenError,
    Implementation,
    Outcome,
    UnsupportedError,
    again,
)
from golden.arrays import Array
from golden.case import Case
from golden.document import UnreadableError, sentence
from golden.functions import nearest
from golden.serve import answer_to, handshake_of

_MOST_CASES_BYTES = 2**30


def export(cases: Sequence[Case], file: Path) -> None:
    """Write requests for cases into a file.

    Raises:
        UnreadableError: it cannot be written, or a case cannot be asked in JSON.
    """
    requests = []
    for number, case in enumerate(cases, 1):
        try:
            requests.append(wire.request(number, case))
        except wire.ProtocolError as error:
            raise UnreadableError(f"{case.address}: {sentence(error)}") from error
    _write(file, {"protocol": wire.PROTOCOL}, "requests", requests)


def answer(implementation: Implementation, file: Path, answers: Path) -> None:
    """Write an implementation's answers to the requests of a file into another.

    Raises:
        UnreadableError: a file cannot be read or written, or holds no requests.
    """
    message = _read(file, _MOST_CASES_BYTES)
    found = []
    for place, entry in enumerate(_list(file, message, "requests")):
        try:
            case = wire.case_of(entry)
        except wire.ProtocolError as error:
            raise UnreadableError(f"{file}: request {place}: {sentence(error)}") from error
        found.append({"case": entry["case"]} | answer_to(implementation, case))
    _write(answers, handshake_of(implementation).as_json(), "answers", found)


def answered(file: Path, cases: Sequence[Case]) -> Implementation:
    """The implementation whose answers a file holds.

    Args:
        file: the answers.
        cases: all cases that it may speak of; a case that it does not answer is broken.

    Raises:
        UnreadableError: the file is broken, larger than answers to these cases can be, or
            answers another case, or one twice.
    """
    wanted = {case.address: case for case in cases}
    message = _read(file, wire.most_answers_bytes(cases))
    try:
        said = wire.read_handshake(message)
    except wire.ProtocolError as error:
        raise UnreadableError(f"{file}: {sentence(error)}") from error
    outcomes: dict[str, Outcome] = {}
    for place, entry in enumerate(_list(file, message, "answers")):
        name = entry.get("case")
        if not isinstance(name, str) or name not in wanted:
            close = nearest(name, wanted) if isinstance(name, str) else ""
            words = f"answer {place} is to no case: {wire.words(str(name))}{close}"
            raise UnreadableError(f"{file}: {words}")
        if name in outcomes:
            raise UnreadableError(f"{file}: {name} is answered twice")
        try:
            outcomes[name] = wire.outputs_of(entry, tuple(wanted[name].outputs))
        except (UnsupportedError, AnswerError) as outcome:
            outcomes[name] = outcome
        except wire.ProtocolError as error:
            raise UnreadableError(f"{file}: {name}: {sentence(error)}") from error

    def told(case: Case) -> Mapping[str, Array]:
        outcome = outcomes.get(case.address)
        if outcome is None:
            raise BrokenError(f"{file} has no answer to it")
        return again(outcome)

    return said.as_implementation(told)


def _read(file: Path, most_bytes: int) -> Mapping[str, object]:
    try:
        with file.open("rb") as stream:
            content = stream.read(most_bytes + 1)
    except OSError as error:
        raise UnreadableError(f"{file}: {sentence(error)}") from error
    if len(content) > most_bytes:
        raise UnreadableError(f"{file}: larger than {most_bytes} bytes")
    try:
        message = wire.parse(content)
    except wire.ProtocolError as error:
        raise UnreadableError(f"{file}: {sentence(error)}") from error
    if message.get("protocol") != wire.PROTOCOL:
        given = wire.words(repr(message.get("protocol"))[:60])
        raise UnreadableError(f"{file}: protocol must be {wire.PROTOCOL!r}, not {given}")
    return message


def _list(file: Path, message: Mapping[str, object], name: str) -> list[dict[str, object]]:
    entries = message.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnreadableError(f"{file}: there is no list of {name} in it")
    return entries


def _write(
    file: Path, head: Mapping[str, object], name: str, entries: Sequence[Mapping[str, object]]
) -> None:
    """Write a file of one entry a line."""
    start = wire.line({**head, name: []}).removesuffix(b"]}\n")
    lines = b",\n".join(wire.line(entry).rstrip() for entry in entries)
    try:
        file.write_bytes(start + b"\n" + lines + b"\n]}\n")
    except OSError as error:
        raise UnreadableError(f"{file}: {sentence(error)}") from error
