"""The protocol's other half: one of our implementations answers it, on stdin and stdout."""

import os
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from golden import wire
from golden.adapters import Implementation, UnsupportedError, words_of
from golden.base64_arrays import encode
from golden.case import Case

_MOST_REQUEST_BYTES = 2**28


def serve(implementation: Implementation, requests: BinaryIO, answers: BinaryIO) -> None:
    """Introduce an implementation, and answer requests until there are no more.

    Raises:
        ProtocolError: a line is no request.
    """
    _write(answers, handshake_of(implementation).as_json())
    while text := requests.readline(_MOST_REQUEST_BYTES + 1):
        if not text.endswith(b"\n"):
            raise wire.ProtocolError(
                f"a request is a line of at most {_MOST_REQUEST_BYTES} bytes, with its end"
            )
        message = wire.parse(text)
        number = wire.number_of(message)
        _write(answers, {"id": number} | answer_to(implementation, wire.case_of(message)))


def answer_to(implementation: Implementation, case: Case) -> dict[str, Any]:
    """What an implementation says to a case, as the protocol has it, without an id."""
    try:
        had = implementation.answer(case)
        outputs = {name: encode(had[name]) for name in case.outputs if name in had}
    except UnsupportedError as error:
        return {"status": "unsupported", "reason": str(error)}
    except Exception as error:
        # Whatever it raises is its answer.
        return {"status": "error", "message": words_of(error)}
    return {"status": "ok", "outputs": outputs}


def handshake_of(implementation: Implementation) -> wire.Handshake:
    """How an implementation introduces itself."""
    versions = dict(implementation.versions)
    platform = versions.pop("platform", "")
    versions.pop("products", None)  # an entry of its own
    version = ", ".join(f"{what} {which}" for what, which in versions.items())
    wide, products = implementation.wide, implementation.products
    return wire.Handshake(implementation.name, version, platform, wide=wide, products=products)


def own_stdout() -> BinaryIO:
    """The process's stdout, for this protocol alone: what others print goes to stderr."""
    sys.stdout.flush()
    ours = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return ours


def _write(answers: BinaryIO, message: Mapping[str, Any]) -> None:
    answers.write(wire.line(message))
    answers.flush()
