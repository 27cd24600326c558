"""Files of weights for the tests of this folder: recorded ones, random ones, broken ones."""

import json
import string
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from edifice_py.interchange.arrays import TYPES

DATA = Path(__file__).parent / "data"
RECORDED = sorted(DATA.glob("*.nx"))
"""Written by Nx 0.10.0 and Axon 0.8.0."""


def nx(term, buffers=b"", *, endianness=0, version=1):
    """A file of Nx.serialize around the bytes of an Erlang term."""
    return b"nx" + bytes([version, endianness]) + len(term).to_bytes(8, "big") + term + buffers


def atom(name):
    return b"d" + len(name).to_bytes(2, "big") + name.encode("latin-1")


def text(name):
    data = name.encode()
    return b"m" + len(data).to_bytes(4, "big") + data


def sequence(values):
    return b"l" + len(values).to_bytes(4, "big") + b"".join(values) + b"j" if values else b"j"


def group(*values):
    return bytes([104, len(values)]) + b"".join(values)


def number(value):
    return b"n" + bytes([8, value < 0]) + abs(value).to_bytes(8, "little")


def tensor(
    shape=(2,), kind="f", bits=32, *, offset=0, size=None, names=None, axes=b"j"
):  # the parts of a term {:t, shape, type, names, vectorized_axes, offset, size}
    size = int(np.prod(shape)) * bits // 8 if size is None else size
    names = [atom("nil")] * len(shape) if names is None else names
    return group(
        atom("t"),
        group(*map(number, shape)),
        group(atom(kind), number(bits)),
        sequence(names),
        axes,
        number(offset),
        number(size),
    )


def container(module, pairs, metadata=None):
    members = sequence([group(name, value) for name, value in pairs])
    metadata = atom("ok") if metadata is None else metadata
    return group(atom(f"Elixir.Nx.Container.{module}"), members, metadata)


def safetensors(header, buffer=b""):
    """A file of safetensors with a header, an object of JSON or bytes."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(header).to_bytes(8, "little") + header + buffer


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def same_bits(a, b):
    """Whether two trees are the same, to the last bit of their arrays."""
    if isinstance(a, dict):
        return (
            isinstance(b, dict) and a.keys() == b.keys() and all(same_bits(a[k], b[k]) for k in a)
        )
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same_bits, a, b))
    same = not isinstance(b, dict | tuple) and a.dtype == b.dtype and a.shape == b.shape
    return same and a.tobytes() == b.tobytes()


@st.composite
def arrays(draw):
    """An array of any type, shape and bits: NaN payloads, -0.0, no elements, no axes."""
    type_ = draw(st.sampled_from(TYPES))
    shape = draw(st.lists(st.integers(0, 4), max_size=3).map(tuple))
    size = int(np.prod(shape)) * type_.dtype.itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    return np.frombuffer(data, type_.dtype, int(np.prod(shape))).reshape(shape).copy()


NAMES = st.text(st.characters(codec="utf-8"), max_size=8) | st.text(
    string.digits + "%.", max_size=3
)


def trees(*, empty=True):
    """A nested dictionary of arrays, with tuples in it."""
    least = 0 if empty else 1
    inner = st.recursive(
        arrays(),
        lambda part: (
            st.dictionaries(NAMES, part, min_size=least, max_size=3)
            | st.lists(part, min_size=least, max_size=3).map(tuple)
        ),
        max_leaves=6,
    )
    return st.dictionaries(NAMES, inner, max_size=3)
