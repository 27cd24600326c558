"""What ends a command, as one sentence and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

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
    except (ValueError, TypeError, KeyError, OSError, ImportError, RecursionError) as error:
        raise CommandError(f"{where}{sentence(error)}", code) from error


def sentence(error: BaseException) -> str:
    """What an error says, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}."
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(text).split()) or type(error).__name__
