"""Erlang's external term format: what OTP writes is read and written, and all else refused."""

import itertools
import re
import zlib

import pytest

from edifice_py.interchange import InterchangeError
from edifice_py.interchange.external_term import MOST_BYTES, MOST_VALUES, Atom, decode, encode
from tests.edifice_py.interchange import make

# What `:erlang.term_to_binary` of OTP 25 gave for each.
OTP = {
    "83 61 ff": 255,
    "83 62 00 00 01 00": 256,
    "83 62 7f ff ff ff": 2**31 - 1,
    "83 6e 04 00 00 00 00 80": 2**31,
    "83 62 ff ff ff ff": -1,
    "83 6e 06 00 00 00 00 00 00 01": 2**40,
    "83 64 00 03 6e 69 6c": Atom("nil"),
    "83 64 00 01 e9": Atom("é"),
    "83 76 00 06 e6 97 a5 e6 9c ac": Atom("日本"),
    "83 6d 00 00 00 02 c3 a9": "é",
    "83 6a": [],
    "83 68 00": (),
    "83 6c 00 00 00 01 64 00 01 61 6a": [Atom("a")],
    "83 74 00 00 00 02 64 00 01 61 61 02 6d 00 00 00 01 62 61 01": {Atom("a"): 2, "b": 1},
}


@pytest.mark.parametrize("written", OTP)
def test_terms_of_erlang(written):
    data = bytes.fromhex(written)
    assert repr(decode(data)) == repr(OTP[written])
    assert encode(OTP[written]) == data


@pytest.mark.parametrize(
    ("written", "term"),
    [("83 73 01 e9", Atom("é")), ("83 77 02 c3 a9", Atom("é")), ("83 6e 01 01 05", -5)],
)
def test_other_writings_of_the_same(written, term):
    assert repr(decode(bytes.fromhex(written))) == repr(term)


def deep(levels):
    return b"\x83" + b"l\0\0\0\1" * levels + b"j" + b"j" * levels


def packed(data, size):
    return b"\x83P" + size.to_bytes(4, "big") + zlib.compress(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "begins with the byte 131, not b''"),
        (b"\x82j", "begins with the byte 131"),
        (b"\x83", "ends 1 bytes early"),
        (b"\x83jj", "1 bytes follow the Erlang term"),
        (b"\x83m\0\0\0\5abc", "ends 2 bytes early"),
        (b"\x83m\xff\xff\xff\xff", "a name may have 1023 bytes, not 4294967295"),
        (b"\x83m\0\0\0\1\xff", "is no utf-8"),
        (b"\x83l\xff\xff\xff\xffj", "ends before 4294967295 values"),
        (b"\x83h\5j", "ends before 5 values"),
        (b"\x83l\0\0\0\1ja\1", "a list without a proper end"),
        (b"\x83t\0\0\0\1a\1a\1", "names must be strings or atoms, not 1"),
        (b"\x83t\0\0\0\2" + (make.text("a") + b"j") * 2, "the name 'a' stands twice"),
        (b"\x83t\0\0\0\2" + make.text("a") + b"j" + make.atom("a") + b"j", "stands twice"),
        (b"\x83n\x09\0" + bytes(9), "an integer of 9 bytes"),
        (b"\x83o\0\0\0\1\0\1", "type 111, which Nx.serialize does not write"),
        (b"\x83F" + bytes(8), "type 70"),
        (b"\x83k\0\1a", "type 107"),
        (b"\x83q" + make.atom("os") + make.atom("cmd") + b"a\1", "type 113"),
        (deep(101), "more than 100 levels deep"),
        (b"\x83" + make.sequence([b"j"] * MOST_VALUES), f"more than {MOST_VALUES} values"),
        (b"\x83" + bytes(MOST_BYTES), f"at most {MOST_BYTES} bytes"),
        (packed(b"j", 2**32 - 1), "at most 2097152 bytes of names and shapes, not 4294967295"),
        (packed(b"j", 2), "not one of 2 bytes, as it says"),
        (packed(bytes(10**6), 1), "not one of 1 bytes, as it says"),
        (packed(b"j", 1) + b"x", "not one of 1 bytes, as it says"),
        (b"\x83P\0\0\0\1nonsense", "is broken"),
        (b"\x83P\0", "at most"),
    ],
    ids=itertools.count(),
)
def test_what_is_broken_or_too_large_is_refused(data, words):
    with pytest.raises(InterchangeError, match=re.escape(words)):
        decode(data)


def test_as_deep_as_allowed():
    assert decode(deep(100))
