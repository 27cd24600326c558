"""An implementation that is a process: asked by the protocol, started again when it breaks."""

from collections.abc import Mapping
from types import TracebackType

from golden import wire
from golden.adapters import BrokenError, Implementation, StartError
from golden.arrays import Array
from golden.case import Case
from golden.process import Process

TIME_LIMIT = 60.0
"""Seconds for a handshake, and for a case."""

_STARTS = 3
_LONGEST_END = 10.0


class Remote:
    """A command that speaks the protocol, as an implementation.

    It runs within a `with` block, which ends it. A case on which it breaks fails, and the next one
    is asked of a new process.

    Args:
        command: the program and its arguments, as a shell splits them; no shell reads them.
        time_limit: seconds for a handshake, and for a case.

    Raises:
        StartError: it did not introduce itself in three attempts, here or after it broke.
    """

    def __init__(self, command: str, time_limit: float = TIME_LIMIT) -> None:
        self._command = command
        self._time_limit = time_limit
        self._number = 0
        self._first: wire.Handshake | None = None
        self._running: tuple[Process, wire.Handshake] | None = None

    def __enter__(self) -> "Remote":
        self._started()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._running is not None:
            self._running[0].kill()

    @property
    def implementation(self) -> Implementation:
        """What answers cases, under the name of the handshake."""
        _, said = self._started()
        return said.as_implementation(self.answer)

    def answer(self, case: Case) -> Mapping[str, Array]:
        """The outputs of a case.

        Raises:
            UnsupportedError: the implementation says that it has none.
            AnswerError: it says that the call failed.
            BrokenError: it gave no answer, or what is none.
            StartError: it broke before, and cannot be started again.
        """
        process, _ = self._started()
        self._number += 1
        question = wire.line(wire.request(self._number, case))
        try:
            text = process.ask(question, wire.most_answer_bytes(case), self._time_limit)
            answer = wire.parse(text)
            if (number := wire.number_of(answer)) != self._number:
                raise wire.ProtocolError(f"answered id {number} where {self._number} was asked")
            return wire.outputs_of(answer, tuple(case.outputs))
        except (wire.ProtocolError, BrokenError) as error:
            raise BrokenError(f"{error}{self._killed(process)}") from error

    def finish(self) -> str:
        """End the process as the protocol has it. What it did wrong in that, or nothing."""
        if self._running is None:
            return ""
        (process, _), self._running = self._running, None
        return process.finish(min(self._time_limit, _LONGEST_END))

    def _started(self) -> tuple[Process, wire.Handshake]:
        attempts = 0
        while self._running is None:
            process = Process(self._command)
            attempts += 1
            try:
                text = process.ask(b"", wire.MOST_HANDSHAKE_BYTES, self._time_limit)
                handshake = wire.read_handshake(wire.parse(text))
                if self._first not in (None, handshake):
                    raise wire.ProtocolError("a handshake that is not the first one's")
            except (wire.ProtocolError, BrokenError) as error:
                last = self._killed(process)
                if attempts == _STARTS:
                    words = f"{self._command!r} gave no handshake in {_STARTS} starts"
                    raise StartError(f"{words}: {error}{last}") from error
            except BaseException:
                process.kill()
                raise
            else:
                self._first, self._running = handshake, (process, handshake)
        return self._running

    def _killed(self, process: Process) -> str:
        """Kill a process. What it last wrote to stderr."""
        last = process.last_words()
        process.kill()
        self._running = None
        return last
