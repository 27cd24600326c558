"""Broken files give a sentence or a correct load: at once, and in little memory.

`FUZZ=100000 pytest tests/edifice_py/interchange/test_hostile.py` breaks more files of each format
than the suite does.
"""

import gc
import os
import random
import subprocess
import sys
import time
import tracemalloc
import zlib
from itertools import pairwise

import ml_dtypes
import numpy as np
import pytest

from edifice_py.interchange import InterchangeError, nx_file, safetensors_file
from edifice_py.interchange.external_term import MOST_BYTES, MOST_VALUES
from edifice_py.interchange.safetensors_file import MOST_HEADER_BYTES
from edifice_py.interchange.trees import leaves
from tests.edifice_py.interchange import make

FILES = int(os.environ.get("FUZZ", "1000"))
MARGIN = 16 * 2**20
LENGTHS = (0, 1, 2, 127, 255, 256, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
TAGS = b"\x46\x50\x61\x62\x64\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f\x70\x73\x74\x76\x77\x83"

PIECES = (
    make.number(2**62),
    make.number(-1),
    make.atom("nil"),
    make.text("a"),
    make.tensor(()),
    make.container("Map", []),
    str(2**62).encode(),
    b"[0,0]",
    b'"a":{}',
    b'"U8"',
    b"\\u0000",
)


def whole_nx():
    """Files of Nx to begin with: the recorded ones, compressed, of the other endianness."""
    recorded = [file.read_bytes() for file in make.RECORDED]
    yield from (data for data in recorded if data[:2] != b"nx")  # of Edifice.Checkpoint
    for data in (data for data in recorded if data[:2] == b"nx"):
        size = int.from_bytes(data[4:12], "big")
        term, numbers = data[13 : 12 + size], data[12 + size :]
        packed = b"\x83P" + len(term).to_bytes(4, "big") + zlib.compress(term)
        yield from (data, make.nx(packed, numbers), make.nx(b"\x83" + term, numbers, endianness=1))


def whole_safetensors():
    """Files of safetensors to begin with."""
    trees = [nx_file.parse(file.read_bytes()).params for file in make.RECORDED]
    bf16 = {"": np.ones((), ml_dtypes.bfloat16), "a%.b": (np.zeros((0, 3)),) * 2}
    for tree in (*trees, bf16):
        yield from (safetensors_file.serialize(tree, said) for said in (None, {"format": "pt"}))


def broken(data, others, rng):
    """A file with one to three things wrong with it."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        end = at + rng.choice((1, 2, 4, 8, 40))
        kind = rng.randrange(9)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end] * rng.choice((1, 2, 30))
        elif kind == 3:
            data[at:end] = rng.randbytes(end - at)
        elif kind == 4:
            data[at : at + 4] = rng.choice(LENGTHS).to_bytes(4, rng.choice(("big", "little")))
        elif kind == 5:
            data[at : at + 1] = bytes([rng.choice(TAGS)])
        elif kind == 6:
            other = rng.choice(others)
            data[at:] = other[rng.randrange(len(other)) :]
        elif kind == 7:
            data[at:end] = rng.choice(PIECES)
        elif data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
    return bytes(data)


def check_nx(data):
    """A load is correct when it gives the file again."""
    assert nx_file.parse(data).to_bytes() == data


def check_safetensors(data):
    """A load is correct when its arrays are all the numbers in the file, and come back."""
    tree, _ = safetensors_file.parse(data)
    header = 8 + int.from_bytes(data[:8], "little")
    assert sum(array.nbytes for _, array in leaves(tree)) == len(data) - header
    again, _ = safetensors_file.parse(safetensors_file.serialize(tree))
    assert make.same_bits(again, tree)


FORMATS = {
    "nx": (whole_nx, check_nx, nx_file.parse),
    "safetensors": (whole_safetensors, check_safetensors, safetensors_file.parse),
}


def bounded(parse, data):
    """Parse, in a second and in little memory; None or the sentence."""
    gc.disable()  # of garbage, this process has that of all tests before
    try:
        began = time.process_time()
        said = outcome(parse, data)
        assert time.process_time() - began < 1
    finally:
        gc.enable()
    tracemalloc.start()
    try:
        assert outcome(parse, data) == said
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(data) + peak < 2 * len(data) + MARGIN, data[:200]
    return said


def outcome(parse, data):
    try:
        parse(data)
    except InterchangeError as error:
        return str(error)
    return None


@pytest.mark.parametrize("format_", FORMATS)
def test_broken_files_give_a_sentence_or_a_correct_load(format_):
    whole, check, parse = FORMATS[format_]
    files = list(whole())
    for data in files:
        check(data)
    loaded = 0
    for seed in range(FILES):
        rng = random.Random(seed)  # noqa: S311
        data = broken(rng.choice(files), files, rng)
        sentence = bounded(parse, data)
        if sentence is None:
            check(data)
            loaded += 1
        else:
            assert sentence.endswith("."), sentence
            assert sentence.isprintable(), sentence
            assert len(sentence) < 500, sentence
    assert 0 < loaded < FILES / 2


@pytest.mark.parametrize("file", make.RECORDED, ids=lambda file: file.stem)
def test_a_file_that_ends_early_is_refused_wherever_it_ends(file):
    data = file.read_bytes()
    for end in range(len(data)):
        with pytest.raises(InterchangeError):
            nx_file.parse(data[:end])
        with pytest.raises(InterchangeError):
            safetensors_file.parse(safetensors_file.serialize({"a": np.ones(9)})[: end % 80])


def packed(term):
    return make.nx(b"\x83P" + len(term).to_bytes(4, "big") + zlib.compress(term))


def names(count, letter="a"):
    """Names as long as allowed, one letter of which makes Python take four bytes for each."""
    rows = (f"{index:09}{letter}{'a' * 1000}" for index in range(count))
    return make.sequence([make.text(row) for row in rows])


def many(count, entries="{}"):
    return b"{%b}" % b",".join(b'"%x":%b' % (i, entries.encode()) for i in range(count))


SMALL = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
LEVELS = ".".join("a" * 30)
LARGE = {
    "numbers that are not there": ("nx", make.nx(b"\x83" + make.tensor((2**40,)))),
    "a list of nothings": (
        "nx",
        make.nx(b"\x83" + make.sequence([b"j"] * (MOST_VALUES - 1))),
    ),
    "a packed list of nothings": ("nx", packed(make.sequence([b"j"] * (MOST_VALUES - 1)))),
    "tuples of nothing": ("nx", packed(make.sequence([b"h\0"] * (MOST_VALUES - 1)))),
    "maps of nothing": ("nx", packed(make.sequence([b"t\0\0\0\0"] * (MOST_VALUES - 1)))),
    "long names": ("nx", make.nx(b"\x83" + names(2000, "\U0001f600"))),
    "packed long names": ("nx", packed(names(2000, "\U0001f600"))),
    "a bomb": (
        "nx",
        make.nx(b"\x83P" + MOST_BYTES.to_bytes(4, "big") + zlib.compress(bytes(10**8))),
    ),
    "tensors of nothing": (
        "nx",
        packed(
            make.container("Tuple", [(b"j", make.tensor((0,)))] * (MOST_VALUES // 18)),
        ),
    ),
    "deep tuples": ("nx", make.nx(b"\x83" + b"h\1" * (MOST_BYTES // 2 - 1))),
    "a header of lists": (
        "safetensors",
        make.safetensors(b'{"a":[' + b"[]," * (MOST_HEADER_BYTES // 3 - 9) + b"[]]}"),
    ),
    "a header of objects": ("safetensors", make.safetensors(many(MOST_HEADER_BYTES // 10))),
    "a header of arrays": ("safetensors", make.safetensors(many(MOST_HEADER_BYTES // 56, SMALL))),
    "a header of levels": (
        "safetensors",
        make.safetensors(
            b"{%b}"
            % b",".join(b'"%x.%b":%b' % (i, LEVELS.encode(), SMALL.encode()) for i in range(4500))
        ),
    ),
    "a header of spaces": ("safetensors", make.safetensors(b"{}" + b" " * 2**20)),
    "a header as long as the world": ("safetensors", b"\xff" * 7 + b"\x7f{}"),
}


MEASURE = """
import resource, sys, time
from pathlib import Path
from edifice_py.interchange import InterchangeError, load
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = None
for path in sys.argv[1:]:
    began, size = time.process_time(), Path(path).stat().st_size
    try:
        load(path)
        word = "loaded"
    except InterchangeError:
        word = "refused"
    seconds = time.process_time() - began
    before = before or peak()  # the first file is small, and loads what parses them all
    assert seconds < 1 or path == sys.argv[1], (path, seconds)
    assert peak() - before < 2 * size + 16 * 2**20, (path, size, peak() - before)
    print(word)
"""


def test_files_made_to_take_memory_or_time(tmp_path):
    """In a process of its own: Rust and zlib take memory that Python does not know of."""
    small = safetensors_file.serialize({"a": np.ones(1)})
    # Its peak is that of all files so far: the larger ones, of which more is allowed, come last.
    files = sorted(LARGE.values(), key=lambda file: len(file[1]))
    paths = []
    for index, (format_, data) in enumerate([("safetensors", small), *files]):
        paths.append(tmp_path / f"{index}.{format_}")
        paths[-1].write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    words = ran.stdout.split()
    assert len(words) == len(paths)
    assert words.count("loaded") == 3  # the small one, and those of empty arrays


@pytest.mark.parametrize("swapped", [False, True])
def test_a_large_file_takes_its_own_size_twice(swapped):
    """Once as it lies on the disk, once as arrays."""
    array = np.ones((8, 2**20), np.float32)
    files = [
        make.nx(b"\x83" + make.tensor(array.shape), array.tobytes(), endianness=int(swapped)),
        safetensors_file.serialize({"a": array}),
    ]
    for parse, data in zip((nx_file.parse, safetensors_file.parse), files, strict=True):
        assert bounded(parse, data) is None


def calls(parse, data):
    """How many functions are called to parse, of Python and of C."""
    events = []
    sys.setprofile(lambda _, event, __: events.append(event))
    try:
        parse(data)
    finally:
        sys.setprofile(None)
    return sum(event.endswith("call") for event in events)


def test_work_grows_with_the_size_of_a_file_alone():
    """Counted, as other processes take time too; what is copied is held to a second above."""
    counted = []
    for count in (500, 1000, 2000):
        pairs = [(make.text(f"{i}"), make.tensor((1,), offset=4 * i)) for i in range(count)]
        data = make.nx(b"\x83" + make.container("Map", pairs), bytes(4 * count))
        assert len(nx_file.parse(data).params) == count
        counted.append(calls(nx_file.parse, data))
    assert all(2 * before >= after > before for before, after in pairwise(counted))
