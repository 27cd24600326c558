"""What is said of weights that cannot be used."""

import reprlib

from edifice_terminal import printable

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_LONG = reprlib.Repr()
_LONG.maxstring = 200

_BEGINNINGS = (
    (b"nx\x01", "a file of Nx.serialize: its format is 'nx'"),
    (b"\x83h\x03", "one of Nx 0.4 or older, which must be read and written by a newer Nx first"),
    (
        b"\x83h\x02a\x01t",
        "one of Axon.Loop.serialize_state; write Nx.serialize(state.step_state[:model_state])",
    ),
    (b"\x83", "one of :erlang.term_to_binary; write Nx.serialize of the same in its place"),
    (b"PK\x03\x04", "a zip archive, like an npz file or a checkpoint of PyTorch or Keras"),
    (b"\x93NUMPY", "an npy file of numpy"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    *(
        (b"\x80%c" % protocol, "a pickle, which could run any code and is never opened")
        for protocol in range(2, 6)
    ),
    (
        b"\x1f\x8b",
        "a gzip file, as File.write makes it with :compressed; unpack it first, by gunzip",
    ),
    (b"version https://git-lfs", "a pointer of Git LFS, and not the file that it stands for"),
    (b"<", "a page of HTML or XML, perhaps of a download that failed"),
    (b"{", "a file of JSON"),
)
_LENGTH_BYTES = 8


class InterchangeError(ValueError):
    """A file, or a tree of weights, that cannot be used, and why, in one sentence.

    Args:
        words: the sentence; letters in it that a terminal would obey, as in names, are escaped.
    """

    def __init__(self, words: str) -> None:
        super().__init__(printable(words))


def place(path: tuple[str, ...]) -> str:
    """A place in a tree, as sentences name it: `'encoder/mu/kernel'`."""
    return _LONG.repr("/".join(path)) if path else "the whole tree"


def shortened(value: object) -> str:
    """A value in a few words, however large it is."""
    return _SHORT.repr(value)


def sentence(error: Exception, most: int = 300) -> str:
    """What an error of a library says, in one line that a terminal can show."""
    return printable(" ".join(str(error).split()).rstrip(".")[:most])


def looks_like(data: bytes) -> str:
    """What the beginning of a file is of, as the end of a sentence.

    Example:
        >>> looks_like(b"<!DOCTYPE html>")
        'it looks like a page of HTML or XML, perhaps of a download that failed'
    """
    if not data:
        return "it is empty"
    if data[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{" and not any(data[5:_LENGTH_BYTES]):
        return "it looks like a safetensors file: its format is 'safetensors'"
    for beginning, what in _BEGINNINGS:
        if data.startswith(beginning):
            return f"it looks like {what}"
    return f"it begins with {shortened(data[:8])}"
