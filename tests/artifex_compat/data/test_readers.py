"""Readers of a user's own files: what they read, and one sentence for what they cannot."""

import gzip
import io
import struct
import sys
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from artifex_compat.data import DataError, idx_array, read_idx, read_image_folder, read_npz
from edifice_py import interchange

GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(256, size=(30, 5, 4), dtype=np.uint8)
LABELS = GENERATOR.integers(10, size=30)
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def refused(call, words=""):
    with pytest.raises(DataError, match=words) as error:
        call()
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.fixture
def npz(tmp_path):
    def write(save=np.savez, **arrays):
        file = tmp_path / "data.npz"
        save(file, **arrays)
        return file

    return write


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("images", "labels"), [("imgs", "latents_classes"), ("x_train", "y_train"), ("images", "y")]
)
def test_npz_as_dsprites_keras_and_others_write_it(npz, save, images, labels):
    examples = read_npz(npz(save, **{images: PIXELS, labels: LABELS}))
    np.testing.assert_array_equal(examples.x, (PIXELS / np.float32(255))[..., None])
    assert examples.x.dtype == np.float32
    np.testing.assert_array_equal(examples.factors, LABELS[:, None])


def test_npz_by_name_without_factors_and_beside_what_only_pickle_reads(npz):
    file = npz(mine=PIXELS / 255, metadata=np.array({"a": 1}, dtype=object))
    examples = read_npz(file, "mine")
    assert examples.factors is None
    np.testing.assert_allclose(examples.x[..., 0], PIXELS / 255, rtol=1e-6)
    refused(lambda: read_npz(file, "metadata"), "must be an array of numbers")
    refused(lambda: read_npz(file), "which has 'mine', 'metadata', and not 'images' or")
    refused(lambda: read_npz(file, "mine", "yours"), "factors must name an array")


@pytest.mark.parametrize("kind", [np.uint8, bool, np.float16, np.float64])
def test_npz_black_and_white_stays(npz, kind):
    examples = read_npz(npz(x=(PIXELS > 99).astype(kind)))
    np.testing.assert_array_equal(examples.x[..., 0], PIXELS > 99)


@QUICK
@given(
    rows=st.lists(st.integers(0, 29), min_size=1, max_size=40),
    order=st.sampled_from("CF"),
    kind=st.sampled_from([np.uint8, np.float32, np.dtype(">f8")]),
)
def test_rows_are_those_asked_for_in_their_order(npz, rows, order, kind):
    file = npz(x=np.asarray(PIXELS.astype(kind), order=order), y=LABELS)
    every, some = read_npz(file), read_npz(file, rows=rows)
    np.testing.assert_array_equal(some.factors[:, 0], LABELS[rows])
    np.testing.assert_allclose(some.x, every.x[rows])


def test_rows_beyond_a_block(npz, monkeypatch):
    monkeypatch.setattr("artifex_compat.data.files._BLOCK", 64)
    rows = GENERATOR.integers(30, size=50)
    examples = read_npz(npz(x=PIXELS), rows=rows)
    np.testing.assert_allclose(255 * examples.x[..., 0], PIXELS[rows], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": [30]}, "rows must be from 0 to 29, not from 30 to 30"),
        ({"rows": [0.5]}, "rows must be indices"),
        ({"most_bytes": 100}, "2,400 bytes as float32, more than most_bytes=100"),
    ],
)
def test_npz_options(npz, options, words):
    refused(lambda: read_npz(npz(x=PIXELS), **options), words)


def test_the_bound_is_on_the_rows_that_are_read(npz):
    assert len(read_npz(npz(x=PIXELS), rows=[3], most_bytes=80).x) == 1


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(4), "must hold examples"),
        (np.zeros((2, 2), np.int32), "as bool, uint8 or floats, not int32"),
        (np.zeros((2, 2), complex), "must be an array of numbers"),
        (np.array(1.0), "must be an array of numbers"),
    ],
)
def test_npz_of_no_examples(npz, array, words):
    refused(lambda: read_npz(npz(x=array)), words)


def test_an_npz_header_that_lies_takes_no_memory(tmp_path):
    header = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": (2**40, 64, 64)}
    np.lib.format.write_array_header_1_0(header, fields)
    file = tmp_path / "lies.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(100))
    refused(lambda: read_npz(file), "has not the size that its header says")


def test_files_that_are_not_there_or_something_else(tmp_path):
    refused(lambda: read_npz(tmp_path / "no.npz"), "cannot be read as an npz file: No such file")
    refused(lambda: read_npz(tmp_path), "Is a directory")
    text = tmp_path / "text.npz"
    text.write_text("nothing")
    refused(lambda: read_npz(text), "cannot be read as an npz file: File is not a zip file")
    refused(lambda: idx_array(text), "IDX's magic number")
    refused(lambda: read_idx(tmp_path / "no.gz"), "No such file")
    refused(lambda: read_image_folder(tmp_path / "no"), "No such file")


@QUICK
@given(place=st.floats(0, 1), value=st.integers(0, 255), cut=st.booleans())
def test_a_mutilated_npz_is_read_or_refused_and_nothing_else(npz, place, value, cut):
    file = npz(np.savez_compressed, x=PIXELS, y=LABELS)
    mutilate(file, place, value, cut)
    with suppress(DataError):
        read_npz(file)


def mutilate(file, place, value, cut):
    data = bytearray(file.read_bytes())
    index = int(place * (len(data) - 1))
    data[index] = value
    file.write_bytes(data[:index] if cut else data)


def idx(array, code):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.tobytes()


@QUICK
@given(
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    kind=st.sampled_from(
        [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
    ),
    zipped=st.booleans(),
)
def test_idx_of_every_type_and_rank(tmp_path, shape, kind, zipped):
    code, dtype = kind
    array = GENERATOR.integers(-100, 100, size=shape).astype(dtype)
    file = tmp_path / "data"
    file.write_bytes(gzip.compress(idx(array, code)) if zipped else idx(array, code))
    found = idx_array(file)
    np.testing.assert_array_equal(found, array)
    assert found.dtype.isnative


def test_mnist(tmp_path):
    images, labels = tmp_path / "images.gz", tmp_path / "labels"
    images.write_bytes(gzip.compress(idx(PIXELS, 8)))
    labels.write_bytes(idx(LABELS.astype(np.uint8), 8))
    examples = read_idx(images, labels)
    np.testing.assert_array_equal(examples.x, (PIXELS / np.float32(255))[..., None])
    np.testing.assert_array_equal(examples.factors[:, 0], LABELS)
    assert examples.factor_names == ("label",)
    assert read_idx(images).factors is None
    labels.write_bytes(idx(LABELS[:9].astype(np.uint8), 8))
    refused(lambda: read_idx(images, labels), r"factors must be \[30, factors\]")
    refused(lambda: read_idx(images, most_bytes=99), "more than most_bytes=99")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "magic number"),
        (bytes([0, 0, 8]), "magic number"),
        (bytes([0, 0, 7, 1]), "magic number"),
        (bytes([0, 0, 8, 2, 0, 0]), "cut short"),
        (idx(PIXELS, 8)[:-1], "must hold 600 bytes.*and has 599"),
        (idx(PIXELS, 8) + b"x", "must hold 600 bytes.*and has more"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "more than most_bytes"),
        (bytes([0, 0, 8, 255]) + b"\xff" * 1020, "more than most_bytes"),
        (gzip.compress(idx(PIXELS, 8), mtime=0)[:-9], "cannot be read as an IDX file"),
    ],
    ids=range(9),
)
def test_broken_idx(tmp_path, data, words):
    file = tmp_path / "broken"
    file.write_bytes(data)
    refused(lambda: idx_array(file), words)


@QUICK
@given(place=st.floats(0, 1), value=st.integers(0, 255), cut=st.booleans(), zipped=st.booleans())
def test_a_mutilated_idx_is_read_or_refused_and_nothing_else(tmp_path, place, value, cut, zipped):
    file = tmp_path / "data"
    data = idx(PIXELS, 8)
    file.write_bytes(gzip.compress(data) if zipped else data)
    mutilate(file, place, value, cut)
    with suppress(DataError):
        idx_array(file)


@pytest.fixture
def folder(tmp_path):
    for index, name in enumerate(["b/2.png", "a/1.png", "b/1.bmp", "a/.hidden.png", "a/notes.txt"]):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        if name.endswith("txt"):
            file.write_text("no picture")
        else:
            Image.fromarray(PIXELS[index]).save(file)
    return tmp_path


def test_folders_are_classes(folder):
    examples = read_image_folder(folder)
    np.testing.assert_array_equal(examples.x, (PIXELS[[1, 2, 0]] / np.float32(255))[..., None])
    assert examples.factors.tolist() == [[0], [1], [1]]
    assert examples.factor_names == ("class",)


def test_one_folder_has_no_classes_and_dark_pictures_stay_dark(tmp_path):
    Image.fromarray(np.ones((3, 2), np.uint8)).save(tmp_path / "dark.png")
    examples = read_image_folder(tmp_path, channels=3)
    assert examples.factors is None
    assert examples.x.shape == (1, 3, 2, 3)
    np.testing.assert_allclose(examples.x, 1 / 255)


def test_pictures_of_other_sizes_are_refused_or_brought_to_one(folder):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "b" / "large.png")
    refused(lambda: read_image_folder(folder), r"must be 5 x 4 pixels.*not 9 x 9.*size=\(5, 4\)")
    assert read_image_folder(folder, size=(6, 8)).x.shape == (4, 6, 8, 1)


def test_what_is_no_folder_of_pictures(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    refused(lambda: read_image_folder(empty), "must have pictures in it, and has none")
    refused(lambda: read_image_folder(folder, most_bytes=100), "more than most_bytes=100")
    with pytest.raises(ValueError, match=r"channels must be 1 \(grey\) or 3 \(colour\), not 2\."):
        read_image_folder(folder, channels=2)
    (folder / "b" / "3.png").write_bytes((folder / "b" / "2.png").read_bytes()[:50])
    refused(lambda: read_image_folder(folder), r"3\.png cannot be read as a picture")
    (folder / "b" / "3.png").write_bytes(b"")
    refused(lambda: read_image_folder(folder), r"3\.png cannot be read as a picture")


def test_without_pillow_one_sentence_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"needs Pillow: .*edifice-py\[evaluate\]'\.$"):
        read_image_folder(folder)


def test_names_of_files_cannot_steer_a_terminal(tmp_path):
    name = "a\x1b[31m\n\u202eb\udcff"
    folder = tmp_path / name
    folder.mkdir()
    written = "a\\x1b[31m\\n\\u202eb\\udcff"
    for read, ending in ((read_npz, "npz"), (idx_array, "idx"), (interchange.load, "nx")):
        file = folder / f"{name}.{ending}"
        file.write_bytes(b"junk")
        with pytest.raises(ValueError, match=r"a\\x1b\[31m") as error:
            read(file)
        assert str(error.value).isprintable()
        assert str(error.value).count(written) == 2
    (folder / f"{name}.heic").write_bytes(b"junk")
    (folder / f"{name}.png").write_bytes(b"junk")
    with (
        pytest.warns(UserWarning, match="pictures were left out") as caught,
        pytest.raises(DataError) as error,
    ):
        read_image_folder(folder)
    assert str(caught[0].message).isprintable()
    assert str(error.value).isprintable()
    refused(lambda: read_npz(tmp_path / f"{name}.npz"), "cannot be read")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch, npz):
    monkeypatch.setenv("HOME", str(tmp_path))
    npz(x=PIXELS)
    assert len(read_npz("~/data.npz")) == 30
    (tmp_path / "a.idx").write_bytes(b"\0\0\x08\x01" + struct.pack(">I", 2) + b"ab")
    assert idx_array("~/a.idx").tolist() == [97, 98]
    Image.fromarray(PIXELS[0]).save(tmp_path / "a.png")
    assert len(read_image_folder("~")) == 1
