"""What is said of weights that cannot be used."""

import reprlib

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_LONG = reprlib.Repr()
_LONG.maxstring = 200


class InterchangeError(ValueError):
    """A file, or a tree of weights, that cannot be used, and why, in one sentence."""


def place(path: tuple[str, ...]) -> str:
    """A place in a tree, as sentences name it: `'encoder/mu/kernel'`."""
    return _LONG.repr("/".join(path)) if path else "the whole tree"


def shortened(value: object) -> str:
    """A value in a few words, however large it is."""
    return _SHORT.repr(value)


def sentence(error: Exception, most: int = 300) -> str:
    """What an error of a library says, in one line that a terminal can show."""
    words = " ".join(str(error).split()).rstrip(".")[:most]
    return "".join(letter if letter.isprintable() else "?" for letter in words)
