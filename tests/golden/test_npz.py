"""The arrays of cases: headers that lie, other byte orders, pipes."""

import os
import tracemalloc
import zipfile

import numpy as np
import pytest

from golden.document import UnreadableError
from golden.npz import ArrayFile


def test_a_long_header_takes_no_memory(tmp_path):
    file = tmp_path / "a.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        header = b"\x93NUMPY\x02\x00" + (2**30).to_bytes(4, "little") + b" " * 2**20
        archive.writestr("x.npy", header)
    tracemalloc.start()
    with ArrayFile(file) as arrays, pytest.raises(UnreadableError, match="at most 10000"):
        arrays.read("x", "f32[2]")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_another_byte_order_is_not_the_declared_type(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones(2, ">f4"))
    with ArrayFile(tmp_path / "a.npz") as arrays, pytest.raises(ValueError, match="stored as >f4"):
        arrays.read("x", "f32[2]")


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with ArrayFile(tmp_path / "a.npz") as arrays:
        with pytest.raises(UnreadableError, match="not a regular file"):
            arrays.read("x", "f32[2]")
        with pytest.raises(UnreadableError, match="not a regular file"):
            arrays.names()
