"""Errors of a command: one sentence and an exit code."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_MOST_LETTERS = 600

SUCCESS, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: success; the run went wrong; it could not be begun; Ctrl-C."""


class CommandError(Exception):
    """A command cannot go on, and why, in one sentence.

    Args:
        text: the sentence.
        code: the exit code.
    """

    def __init__(self, text: str, code: int = REFUSED) -> None:
        super().__init__(text)
        self.code = code


@contextmanager
def command_errors(*, code: int = REFUSED, where: str = "") -> Iterator[None]:
    """Turn errors of the library about an argument, a file or a package into one sentence.

    Args:
        code: the exit code.
        where: what the sentence begins with, like the name of a section.

    Raises:
        CommandError: an error was raised that a user's input can cause.
    """
    try:
        yield
    except CommandError:
        raise
    except (ValueError, TypeError, KeyError, OSError, ImportError, RuntimeError) as error:
        full = isinstance(error, OSError) and error.errno in _FULL
        text = f"{shorten(where)}{sentence(error)}"
        raise CommandError(text, FAILED if full else code) from error


def sentence(error: BaseException) -> str:
    """The message of an error, on one line."""
    if isinstance(error, OSError) and error.strerror:
        file = "" if error.filename is None else f"{error.filename}: "
        return shorten(f"{file}{error.strerror.lower()}.")
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return shorten(" ".join(str(text).split())) or type(error).__name__


def shorten(text: str) -> str:
    """A long text without its middle: a user's value may be a whole file."""
    half = _MOST_LETTERS // 2
    return text if len(text) <= _MOST_LETTERS else f"{text[:half]} ... {text[-half:]}"
