"""Erlang's external term format, as far as `Nx.serialize` writes it, and nothing beyond.

Read are integers, atoms, binaries of UTF-8, tuples, lists and maps. Functions, pids, references
and all else are refused, and nothing is made from a term but these values. What is read is bounded
before it is allocated: in bytes, also of a compressed term, in the number of values, in depth.

Reference:
    Erlang/OTP, "External Term Format" (erl_ext_dist).
"""

import zlib
from collections.abc import Callable
from typing import TypeAlias

from edifice_py.interchange.errors import InterchangeError, shortened

MOST_BYTES = 2**21
"""Of a term when it is not compressed: one of 3,000 tensors is a quarter of it."""
MOST_VALUES = 2**16
"""A value of one byte in a file is up to a hundred in memory."""
MOST_DEPTH = 100
MOST_NAME_BYTES = 1023
MOST_ATOM_LETTERS = 255

_VERSION = 131
_COMPRESSED = 80
_NEW = b"\x83"
_INTEGERS = (-(2**31), 2**31)


class Atom(str):
    """An Erlang atom: a name, and no more than that."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Atom({super().__repr__()})"


Term: TypeAlias = "int | str | tuple[Term, ...] | list[Term] | dict[str, Term]"
"""An `Atom` is an atom, any other `str` a binary."""


def decode(data: bytes) -> Term:
    """The value of a term.

    Args:
        data: all of its bytes, with the version in front; the term may be compressed.

    Raises:
        InterchangeError: it is broken, larger than is allowed, or of a type that Nx does not write.
    """
    if len(data) > MOST_BYTES:
        raise _larger(len(data))
    if data[:1] != _NEW:
        raise InterchangeError(
            f"an Erlang term begins with the byte {_VERSION}, not {shortened(data[:1])}."
        )
    body = data[1:]
    if body[:1] == bytes([_COMPRESSED]):
        body = _decompress(body[1:])
    reader = _Reader(body)
    term = reader.term(0)
    if reader.left:
        raise InterchangeError(f"{reader.left} bytes follow the Erlang term.")
    return term


def encode(term: Term) -> bytes:
    """A term as OTP 25 and older write it, and every OTP reads it; maps in the order they have.

    Raises:
        InterchangeError: a name is too long, or no text, or an integer has more than 64 bits.
    """
    parts = [_NEW]
    _write(term, parts)
    return b"".join(parts)


def _decompress(data: bytes) -> bytes:
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 or size > MOST_BYTES:
        raise _larger(size)
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(data[4:], size + 1)
    except zlib.error:
        raise InterchangeError("the compressed Erlang term is broken.") from None
    if len(body) != size or not stream.eof or stream.unused_data:
        raise InterchangeError(
            f"the compressed Erlang term is not one of {size} bytes, as it says."
        )
    return body


class _Reader:
    """A term that is read from its first byte to its last."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._values = 0

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """The next bytes, which must be there."""
        if size > self.left:
            raise InterchangeError(f"the Erlang term ends {size - self.left} bytes early.")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        """The next bytes as an unsigned number."""
        return int.from_bytes(self.take(size), "big")

    def count(self, size: int) -> int:
        """The next bytes as a number of values, each of which is at least one byte of what is left.

        That many values must be allowed too.
        """
        count = self.number(size)
        if count > self.left:
            raise InterchangeError(f"the Erlang term ends before {count} values of a list or map.")
        if self._values + count > MOST_VALUES:
            raise InterchangeError(f"the Erlang term has more than {MOST_VALUES} values.")
        return count

    def term(self, depth: int) -> Term:
        """The next value."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise InterchangeError(f"the Erlang term has more than {MOST_VALUES} values.")
        if depth > MOST_DEPTH:
            raise InterchangeError(f"the Erlang term is more than {MOST_DEPTH} levels deep.")
        tag = self.number(1)
        if tag in _LEAVES:
            return _LEAVES[tag](self)
        if tag == 104:
            return tuple([self.term(depth + 1) for _ in range(self.count(1))])
        if tag == 108:
            return self._list(depth)
        if tag == 116:
            return self._map(depth)
        raise InterchangeError(
            f"the Erlang term has a value of the type {tag}, which Nx.serialize does not write."
        )

    def _list(self, depth: int) -> Term:
        values = [self.term(depth + 1) for _ in range(self.count(4))]
        if self.number(1) != 106:
            raise InterchangeError("the Erlang term has a list without a proper end.")
        return values

    def _map(self, depth: int) -> Term:
        found: dict[str, Term] = {}
        for _ in range(self.count(4)):
            name = self.term(depth + 1)
            if not isinstance(name, str):
                raise InterchangeError(f"names must be strings or atoms, not {shortened(name)}.")
            if name in found:
                raise InterchangeError(f"the name {shortened(name)} stands twice in one map.")
            found[name] = self.term(depth + 1)
        return found

    def integer(self) -> int:
        """A signed integer of 32 bits."""
        return int.from_bytes(self.take(4), "big", signed=True)

    def long_integer(self) -> int:
        """An integer of up to 64 bits."""
        size, sign = self.take(2)
        if size > 8 or sign > 1:
            raise InterchangeError(f"the Erlang term has an integer of {size} bytes.")
        magnitude = int.from_bytes(self.take(size), "little")
        return -magnitude if sign else magnitude

    def atom(self, size: int, encoding: str) -> Atom:
        """The name of an atom, whose length stands in that many bytes."""
        return Atom(self._text(self.number(size), encoding))

    def binary(self) -> str:
        """A binary, which must be a name."""
        return self._text(self.number(4), "utf-8")

    def _text(self, size: int, encoding: str) -> str:
        if size > MOST_NAME_BYTES:
            raise InterchangeError(
                f"a name may have {MOST_NAME_BYTES} bytes, not {size} as one in the Erlang term."
            )
        data = self.take(size)
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            raise InterchangeError(f"the name {shortened(data)} is no {encoding}.") from None


_LEAVES: dict[int, Callable[[_Reader], Term]] = {
    97: lambda reader: reader.number(1),
    98: _Reader.integer,
    100: lambda reader: reader.atom(2, "latin-1"),
    106: lambda _: [],
    109: _Reader.binary,
    110: _Reader.long_integer,
    115: lambda reader: reader.atom(1, "latin-1"),
    118: lambda reader: reader.atom(2, "utf-8"),
    119: lambda reader: reader.atom(1, "utf-8"),
}


def _write(term: Term, parts: list[bytes]) -> None:
    if isinstance(term, Atom):
        parts.append(_atom(term))
    elif isinstance(term, str):
        data = _bytes(term)
        parts.append(b"m" + len(data).to_bytes(4, "big") + data)
    elif isinstance(term, int):
        parts.append(_integer(term))
    elif isinstance(term, tuple):
        parts.append(bytes([104, len(term)]))
        for value in term:
            _write(value, parts)
    elif isinstance(term, dict):
        parts.append(b"t" + len(term).to_bytes(4, "big"))
        for name, value in term.items():
            _write(name, parts)
            _write(value, parts)
    elif term:
        parts.append(b"l" + len(term).to_bytes(4, "big"))
        for value in term:
            _write(value, parts)
        parts.append(b"j")
    else:
        parts.append(b"j")


def _atom(name: Atom) -> bytes:
    if len(name) > MOST_ATOM_LETTERS:
        raise InterchangeError(
            f"an atom may have {MOST_ATOM_LETTERS} letters, not {len(name)} as {shortened(name)}."
        )
    data = _bytes(name)
    try:
        latin = name.encode("latin-1")
    except UnicodeEncodeError:
        return b"v" + len(data).to_bytes(2, "big") + data
    return b"d" + len(latin).to_bytes(2, "big") + latin


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return bytes([97, value])
    if _INTEGERS[0] <= value < _INTEGERS[1]:
        return b"b" + value.to_bytes(4, "big", signed=True)
    data = abs(value).to_bytes((abs(value).bit_length() + 7) // 8, "little")
    return bytes([110, len(data), value < 0]) + data


def _bytes(name: str) -> bytes:
    try:
        data = name.encode("utf-8")
    except UnicodeEncodeError:
        raise InterchangeError(f"the name {shortened(name)} is no text of Unicode.") from None
    if len(data) > MOST_NAME_BYTES:
        raise InterchangeError(
            f"a name may have {MOST_NAME_BYTES} bytes, not {len(data)} as {shortened(name)}."
        )
    return data


def _larger(size: int) -> InterchangeError:
    return InterchangeError(
        f"the Erlang term must have at most {MOST_BYTES} bytes of names and shapes, not {size}."
    )
