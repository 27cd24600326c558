"""Readers within their bounds: memory, headers, blocks, and numbers that do not fit."""

import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from artifex_compat.data import DataError, idx_array, read_idx, read_npz

BYTES = np.random.default_rng(0).integers(256, size=(30, 5, 4), dtype=np.uint8)


def refused(call, words):
    with pytest.raises(DataError, match=words) as error:
        call()
    assert str(error.value).endswith(".")


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        file = tmp_path / "data.npz"
        np.savez(file, **arrays)
        return file

    return write


def npz_of(file, name, content):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", content)
    return file


def test_whether_bytes_are_divided_does_not_depend_on_the_rows(npz):
    dark = BYTES.copy()
    dark[:20] = 1
    dark[20:] = 7
    file = npz(x=dark)
    np.testing.assert_array_equal(read_npz(file, rows=[0]).x, read_npz(file).x[:1])
    np.testing.assert_array_equal(read_npz(npz(x=dark[:20]), rows=[0]).x, 1)


@pytest.mark.parametrize("block", [1, 3, 7, 64, 1000])
@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_of_any_size_hold_the_same_numbers(npz, monkeypatch, block, order):
    monkeypatch.setattr("artifex_compat.data.files._BLOCK", block)
    array = np.asarray(np.random.default_rng(1).random((5, 3, 2, 4)), order=order)
    file = npz(x=array, y=np.arange(5))
    np.testing.assert_allclose(read_npz(file).x, array, rtol=1e-6)
    np.testing.assert_allclose(read_npz(file, rows=[4, 0, 4]).x, array[[4, 0, 4]], rtol=1e-6)


def peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["f8", "longdouble", "f4", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_peak_of_memory_is_that_of_float32(npz, monkeypatch, kind, order):
    monkeypatch.setattr("artifex_compat.data.files._BLOCK", 2**14)
    count = 2**20
    file = npz(x=np.asarray(np.ones((1024, 1024)), kind, order=order))
    assert peak(lambda: read_npz(file)) < 1.5 * 4 * count
    assert peak(lambda: read_npz(file, rows=np.arange(512))) < 1.5 * 2 * count


def test_the_peak_of_memory_of_an_idx_file(tmp_path, monkeypatch):
    monkeypatch.setattr("artifex_compat.data.files._BLOCK", 2**14)
    header = bytes([0, 0, 14, 3]) + struct.pack(">3I", 1024, 16, 16)
    file = tmp_path / "data"
    file.write_bytes(header + np.ones((1024, 16, 16), ">f8").tobytes())
    assert peak(lambda: read_idx(file)) < 1.5 * 4 * 2**18


def test_a_long_header_takes_no_memory(tmp_path):
    header = b"\x93NUMPY\x02\x00" + (2**30).to_bytes(4, "little") + b" " * 2**20
    file = npz_of(tmp_path / "long.npz", "x", header)
    assert peak(lambda: refused(lambda: read_npz(file), "at most 10,000 bytes")) < 2**20


def test_numbers_beyond_float32_are_refused(npz):
    refused(lambda: read_npz(npz(x=np.array([[1e300, 1.0]]))), "too large for float32")
    assert np.isinf(read_npz(npz(x=np.array([[np.inf, 1.0]]))).x[0, 0])


def test_a_named_pipe_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(lambda: read_npz(pipe), "cannot be read as an npz file: Is a named pipe")
    refused(lambda: idx_array(pipe), "Is a named pipe")
