"""What ends a command, as one sentence and an exit code."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_MOST_LETTERS = 600

FINE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: all is well; the run went wrong; it could not be begun; Ctrl-C."""


class CommandError(Exception):
    """A command cannot go on, and why, in one sentence.

    Args:
        words: the sentence.
        code: the exit code.
    """

    def __init__(self, words: str, code: int = REFUSED) -> None:
        super().__init__(words)
        self.code = code


@contextmanager
def refusing(*, code: int = REFUSED, where: str = "") -> Iterator[None]:
    """Make one sentence of what the library says of a wrong argument, file or package.

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
        words = f"{shortened(where)}{sentence(error)}"
        raise CommandError(words, FAILED if full else code) from error


def sentence(error: BaseException) -> str:
    """What an error says, on one line."""
    if isinstance(error, OSError) and error.strerror:
        of_file = "" if error.filename is None else f"{error.filename}: "
        return shortened(f"{of_file}{error.strerror.lower()}.")
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return shortened(" ".join(str(text).split())) or type(error).__name__


def shortened(words: str) -> str:
    """Words without their middle where they are many: a user's value may be a whole file."""
    half = _MOST_LETTERS // 2
    return words if len(words) <= _MOST_LETTERS else f"{words[:half]} ... {words[-half:]}"
