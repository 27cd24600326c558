"""Files of safetensors: flat names, and the numbers of one array after another.

The package of that name parses and writes them. What is checked before is that the header is small:
the package reads one of 100 MB.

Reference:
    The safetensors format, https://github.com/huggingface/safetensors
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from edifice_py.interchange.arrays import BY_SAFETENSORS, Array, readable
from edifice_py.interchange.errors import InterchangeError, looks_like, sentence, shortened
from edifice_py.interchange.trees import Tree, flat, normalised, unflat

MOST_HEADER_BYTES = 2**19
"""An array takes about 90 of them."""
_LENGTH_BYTES = 8
_METADATA = "__metadata__"


def parse(data: bytes) -> tuple[Tree, dict[str, str]]:
    """The tree that a file holds, in the order of its header, and the file's metadata.

    Raises:
        InterchangeError: it is broken, or holds what is not read here.
        ModuleNotFoundError: the package `safetensors` is not there.
    """
    library = _library()
    size = int.from_bytes(data[:_LENGTH_BYTES], "little")
    end = _LENGTH_BYTES + size
    if end > len(data) and data[_LENGTH_BYTES : _LENGTH_BYTES + 1] not in (b"{", b""):
        raise InterchangeError(f"it is not a safetensors file: {looks_like(data)}.")
    if len(data) < _LENGTH_BYTES or end > len(data):
        raise InterchangeError(f"the file ends after {len(data)} bytes, within its header.")
    if size > MOST_HEADER_BYTES:
        raise InterchangeError(
            f"the header must have at most {MOST_HEADER_BYTES} bytes, not {size}."
        )
    try:
        views = dict(library.deserialize(data))
    except library.SafetensorError as error:
        raise InterchangeError(f"it is not a safetensors file: {sentence(error)}.") from None
    header = json.loads(data[_LENGTH_BYTES:end], object_pairs_hook=_once)
    metadata = header.pop(_METADATA, None) or {}
    return unflat({name: _array(name, views.pop(name)) for name in header}), metadata


def serialize(params: object, metadata: Mapping[str, str] | None = None) -> bytes:
    """A file for parameters: nested dictionaries and tuples of arrays.

    Args:
        params: the tree.
        metadata: what the header says beside it. Elixir's reader refuses a file with any.

    Raises:
        InterchangeError: the tree cannot be written.
        ModuleNotFoundError: the package `safetensors` is not there.
    """
    _library()
    from safetensors.numpy import save

    arrays = flat(normalised(params))
    if _METADATA in arrays:
        raise InterchangeError(f"the name {_METADATA!r} means something else in safetensors.")
    try:
        data = save(arrays, metadata=dict(metadata) if metadata else None)
    except UnicodeEncodeError as error:
        raise InterchangeError(f"a name is no text of Unicode: {sentence(error)}.") from None
    size = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if size > MOST_HEADER_BYTES:
        raise InterchangeError(
            f"the names and shapes need {size} bytes; at most {MOST_HEADER_BYTES} can be read."
        )
    return data


def _library() -> Any:
    try:
        import safetensors
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "files of safetensors need the package safetensors: pip install "
            "'edifice-py[interchange]'.",
            name=error.name,
        ) from None
    return safetensors


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, if its names differ: the package takes the last of equal ones."""
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise InterchangeError(f"the name {shortened(twice)} stands twice in the header.")
    return found


def _array(name: str, view: Mapping[str, Any]) -> Array:
    type_ = readable(BY_SAFETENSORS.get(view["dtype"]), view["dtype"], (name,))
    numbers = np.frombuffer(view["data"], type_.dtype) if view["data"] else np.empty(0, type_.dtype)
    try:
        return numbers.reshape(view["shape"])
    except ValueError:
        raise InterchangeError(
            f"{shortened(name)} has the shape {shortened(view['shape'])}."
        ) from None
