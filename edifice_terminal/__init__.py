"""What a command line does around its commands: streams, interrupts, and text that is not its own.

It needs the standard library alone, so that `--help` comes at once.
"""

import argparse
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(program: str, main: Callable[[], int], *, unwritten: int) -> NoReturn:
    """Run a command and end the process with its exit code.

    A reader that has seen enough of a pipe changes nothing. What is printed is text: control
    characters are escaped. Ctrl-C and SIGTERM raise `KeyboardInterrupt`, a second one ends at once.

    Args:
        program: its name, which complaints begin with.
        main: the command.
        unwritten: the exit code where standard output could not be written.

    Raises:
        SystemExit: with the exit code; after an interrupt the process ends here.
    """
    _open_missing()
    before = sys.stdout, sys.stderr
    output, errors = _stream(1, before[0]), _stream(2, before[1])
    sys.stdout, sys.stderr = output, errors
    try:
        with _interrupts():
            try:
                code = main()
            except KeyboardInterrupt:
                print(f"{program}: interrupted.", file=errors)
                code = INTERRUPTED
            except SystemExit as ended:  # argparse ends so
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            output.flush()
            failure = output.raw.failure
            if failure is not None and failure.errno != errno.EPIPE:
                print(f"{program}: standard output: {_reason(failure)}.", file=errors)
                code = unwritten if code != INTERRUPTED else code
            errors.flush()
            if code == INTERRUPTED:
                # What an interrupt stopped may still run in threads that a second one would break.
                os._exit(code)
    finally:
        sys.stdout, sys.stderr = before
    sys.exit(code)


def printable(text: str) -> str:
    r"""Text on one line in which nothing acts on a terminal: what cannot be printed is escaped.

    Example:
        >>> printable("a\x1b[31m.npz")
        'a\\x1b[31m.npz'
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def printable_lines(text: str) -> str:
    """The same of text on any number of lines."""
    return "\n".join(map(printable, text.split("\n")))


def path(text: str) -> Path:
    """A path that a user gives, where `~` is the home folder.

    Raises:
        argparse.ArgumentTypeError: it is of a user whom nobody knows, or no path.
    """
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"must be a path, not {text!r}")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: there is no such home folder") from error


class _Descriptor(io.FileIO):
    """A file that takes everything; the first error of writing is kept."""

    failure: OSError | None = None

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Write, as long as that goes well."""
        if self.failure is None:
            try:
                return super().write(data) or 0
            except OSError as error:
                self.failure = error
        return len(data)


class _Stream(io.TextIOWrapper):
    """Text for a terminal, a pipe or a file, whose control characters are escaped."""

    def __init__(self, raw: _Descriptor, encoding: str) -> None:
        self.raw = raw
        super().__init__(
            io.BufferedWriter(raw),  # type: ignore[type-var]
            encoding=encoding,
            errors="backslashreplace",
            line_buffering=raw.fileno() == 2 or raw.isatty(),
        )

    def write(self, text: str) -> int:
        """Write lines."""
        super().write(printable_lines(text))
        return len(text)

    def isatty(self) -> bool:
        """No: what it is given cannot steer a terminal, as colours would."""
        return False


def _stream(number: int, old: object) -> _Stream:
    encoding = getattr(old, "encoding", None) or "utf-8"
    return _Stream(_Descriptor(number, "w", closefd=False), encoding)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _open_missing() -> None:
    """Standard streams that are closed lead nowhere, where the next file would take their place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


@contextmanager
def _interrupts() -> Iterator[None]:
    """SIGTERM raises as Ctrl-C does; a second one of them ends the process, whatever it does.

    Python's own handlers wait for its main thread, which may be within a long native call.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    terminate = signal.signal(signal.SIGTERM, signal.default_int_handler)
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    wakeup = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    threading.Thread(target=_end_at_the_second, args=(readable,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        os.close(writable)
        signal.signal(signal.SIGTERM, terminate)


def _end_at_the_second(readable: int) -> None:
    count = 0
    while received := os.read(readable, 1):
        count += received[0] in _SIGNALS
        if count == 2:
            os._exit(INTERRUPTED)
    os.close(readable)
