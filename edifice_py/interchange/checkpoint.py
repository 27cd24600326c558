"""Files of Edifice.Checkpoint: five bytes and metadata in front of what `Nx.serialize` writes.

The metadata are an Erlang term of any kind. They are kept as they are, and not read.

Reference:
    Edifice's main of July 2026, Edifice.Checkpoint.save/3.
"""

import zlib
from dataclasses import dataclass

from edifice_py.interchange.errors import InterchangeError

_HEAD_BYTES = 5
_SERIALIZED = b"nx"
_DEFLATED = b"\x78"
_MOST_TIMES = 32
"""How many times its size a compressed file may be when it is not compressed."""
_MARGIN_BYTES = 2**24


@dataclass(frozen=True)
class Checkpoint:
    """What stands around the bytes of `Nx.serialize`.

    Attributes:
        metadata: an Erlang term, or nothing.
        compressed: whether the bytes are, by zlib.
    """

    metadata: bytes
    compressed: bool

    def around(self, serialized: bytes) -> bytes:
        """The file."""
        head = bytes([self.compressed]) + len(self.metadata).to_bytes(4, "big")
        body = zlib.compress(serialized) if self.compressed else serialized
        return head + self.metadata + body


def opened(data: bytes) -> tuple[bytes, Checkpoint | None]:
    """What `Nx.serialize` wrote into a file, and what stands around it; nothing in other files.

    Raises:
        InterchangeError: it is compressed, and broken or much larger when it is not.
    """
    start = _HEAD_BYTES + int.from_bytes(data[1:_HEAD_BYTES], "big")
    compressed, body = data[:1] == b"\x01", data[start:]
    if data[:1] not in (b"\x00", b"\x01"):
        return data, None
    if not body.startswith(_DEFLATED if compressed else _SERIALIZED):
        return data, None
    found = Checkpoint(data[_HEAD_BYTES:start], compressed)
    return (_decompressed(body) if compressed else body), found


def _decompressed(body: bytes) -> bytes:
    most = _MOST_TIMES * len(body) + _MARGIN_BYTES
    stream = zlib.decompressobj()
    try:
        serialized = stream.decompress(body, most)
    except zlib.error as error:
        raise InterchangeError(f"the compressed checkpoint is broken: {error}.") from None
    if not stream.eof:
        if len(serialized) == most:
            raise InterchangeError(
                f"the compressed checkpoint holds more than {_MOST_TIMES} times its size; save it "
                "without compressed."
            )
        raise InterchangeError("the compressed checkpoint ends before its numbers do.")
    if stream.unused_data:
        raise InterchangeError(f"{len(stream.unused_data)} bytes follow the compressed checkpoint.")
    return serialized
