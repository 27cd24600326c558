"""A process that is asked in lines and answers in lines, bounded in time and in size.

One loop serves its three pipes, so that neither side ever waits for the other with a full pipe.
"""

import os
import selectors
import shlex
import signal
import subprocess
import time
from contextlib import suppress

from golden.adapters import BrokenError, StartError
from golden.wire import words

_CHUNK = 2**16
_LAST_BYTES = 2**12
_LAST_LINES = 5
_GLANCE = 0.05
"""Seconds between looks at whether the process still lives: its children may hold its pipes."""


class Process:
    """A command that runs, in a process group of its own.

    Raises:
        StartError: the command is none, or there are no process groups on this system.
    """

    def __init__(self, command: str) -> None:
        if not hasattr(os, "killpg"):
            raise StartError("--command needs a POSIX system; use golden export and --answers")
        try:
            arguments = shlex.split(command)
        except ValueError as error:
            raise StartError(f"--command {command!r}: {error}") from error
        if not arguments:
            raise StartError("--command must name a program, not nothing")
        try:
            self._popen = subprocess.Popen(  # noqa: S603 # the command is the user's own
                arguments,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise StartError(f"--command {command!r}: {error}") from error
        self._pipes = [self._popen.stdin, self._popen.stdout, self._popen.stderr]
        self._in, self._out, self._err = (pipe.fileno() for pipe in self._pipes if pipe)
        self._selector = selectors.DefaultSelector()
        for end in (self._in, self._out, self._err):
            os.set_blocking(end, False)
        self._selector.register(self._out, selectors.EVENT_READ)
        self._selector.register(self._err, selectors.EVENT_READ)
        self._read = bytearray()
        self._said = bytearray()

    def ask(self, line: bytes, most_bytes: int, seconds: float) -> bytes:
        """Write a line, and give the next one that the process writes, without its end.

        Raises:
            BrokenError: it ended, closed its output, wrote a longer line or none in time, or
                answered before it had read the question.
        """
        self._said.clear()
        unsent, searched = memoryview(line), 0
        if unsent:
            self._selector.register(self._in, selectors.EVENT_WRITE)
        deadline = time.monotonic() + seconds
        while (end := self._read.find(b"\n", searched)) < 0 and len(self._read) <= most_bytes:
            searched = len(self._read)
            if time.monotonic() > deadline:
                raise BrokenError(f"gave no answer within {seconds:g} s")
            ready = self._ready(_GLANCE)
            if self._in in ready:
                unsent = self._write(unsent)
            if self._err in ready:
                self._listen()
            ended = not ready and self._popen.poll() is not None
            if ended or (self._out in ready and not self._take()):
                raise BrokenError(self._end())
        if end < 0 or end > most_bytes:
            raise BrokenError(f"wrote a line of more than {most_bytes} bytes")
        if unsent:
            raise BrokenError("answered before it had read the whole request")
        found = bytes(self._read[:end])
        del self._read[: end + 1]
        return found

    def finish(self, seconds: float) -> str:
        """Close its input, and wait for it to end. What it did wrong in that, or nothing."""
        if self._popen.stdin:
            self._popen.stdin.close()
        deadline = time.monotonic() + seconds
        code = None
        while code is None and time.monotonic() < deadline and not self._read:
            code = self._popen.poll()  # what it wrote before its end is read after this
            for end in self._ready(_GLANCE):
                if end == self._err:
                    self._listen()
                else:
                    self._take()
        wrong = ""
        if self._read:
            wrong = "wrote a line that nothing asked for"
        elif code is None:
            wrong = f"did not end within {seconds:g} s of the end of its input"
        elif code:
            wrong = f"{_ended(code)} after the end of its input"
        self.kill()
        return wrong

    def kill(self) -> None:
        """End the process and all that it started in its group."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._selector.close()
        for pipe in self._pipes:
            if pipe:
                pipe.close()

    def last_words(self) -> str:
        """The last lines of what it wrote to stderr since it was asked, each on a line."""
        with suppress(OSError):
            self._listen()
        lines = self._said.decode("utf-8", "replace").splitlines()
        return "".join(f"\n      {words(line)}" for line in lines[-_LAST_LINES:])

    def _ready(self, seconds: float) -> set[int]:
        return {key.fd for key, _ in self._selector.select(seconds)}

    def _write(self, unsent: memoryview) -> memoryview:
        try:
            left = unsent[os.write(self._in, unsent[:_CHUNK]) :]
        except BrokenPipeError:  # it reads no more: its end, or the time limit, says why
            self._selector.unregister(self._in)
            return unsent
        if not left:
            self._selector.unregister(self._in)
        return left

    def _take(self) -> bool:
        """Read of its output what is there. False at its end."""
        chunk = os.read(self._out, _CHUNK)
        if not chunk:
            self._selector.unregister(self._out)
        self._read += chunk
        return bool(chunk)

    def _listen(self) -> None:
        """Read of its stderr what is there."""
        chunk = os.read(self._err, _CHUNK)
        if not chunk and self._err in self._selector.get_map():
            self._selector.unregister(self._err)
        self._said = (self._said + chunk)[-_LAST_BYTES:]

    def _end(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            return f"{_ended(self._popen.wait(1))} without an answer"
        return "closed its output without an answer"


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
