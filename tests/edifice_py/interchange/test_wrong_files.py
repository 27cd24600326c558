"""Files that are something else are called what they look like; pairs come back as pairs."""

import io
import pickle

import numpy as np
import pytest

from edifice_py import interchange, vae
from edifice_py.interchange import nx_file, safetensors_file

ENCODER, DECODER = vae.build(input_size=6, latent_size=2, encoder_sizes=(4,), decoder_sizes=(4,))
PAIR = ENCODER.init(0), DECODER.init(1)


def bytes_of(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


SAFETENSORS = safetensors_file.serialize({"a": np.ones(2, np.float32)})
NX = nx_file.document({"a": np.ones(2, np.float32)}).to_bytes()
OTHERS = {
    "npz": (bytes_of(lambda file: np.savez(file, a=np.ones(2))), "a zip archive"),
    "npy": (bytes_of(lambda file: np.save(file, np.ones(2))), "an npy file"),
    "pickle": (pickle.dumps({"a": 1}), "a pickle, which could run any code"),
    "HTML": (b"<!DOCTYPE html><html></html>", "a page of HTML"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\0", "a gzip file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(20), "an HDF5 file"),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("suffix", ["nx", "safetensors"])
def test_other_files_are_called_what_they_look_like(tmp_path, kind, suffix):
    content, words = OTHERS[kind]
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(content)
    with pytest.raises(interchange.InterchangeError, match=f"it looks like {words}"):
        interchange.load(file)


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        ("nx", b"", "it is empty"),
        ("nx", SAFETENSORS, "it looks like a safetensors file: its format is 'safetensors'"),
        ("safetensors", NX, "it looks like a file of Nx.serialize: its format is 'nx'"),
        ("nx", b"text", "it begins with b'text'"),
        ("nx", b"\x83h\3a\1d\0\6little", "it looks like one of Nx 0.4 or older"),
        ("nx", b"\x83h\2a\1t\0\0\0\1", "Axon.Loop.serialize_state; write Nx.serialize"),
        ("nx", b"\x83t\0\0\0\1", "it looks like one of :erlang.term_to_binary; write Nx.serialize"),
    ],
)
def test_files_under_the_wrong_suffix(tmp_path, suffix, content, words):
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(content)
    with pytest.raises(interchange.InterchangeError, match=words) as error:
        interchange.load(file)
    assert ("Nx 0.4" in str(error.value)) == ("Nx 0.4" in words)


def test_a_folder_is_called_one(tmp_path):
    (tmp_path / "a.nx").mkdir()
    with pytest.raises(interchange.InterchangeError, match="Is a directory"):
        interchange.load(tmp_path / "a.nx")


def same(found, wanted):
    for layer, arrays in wanted.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[layer][name], array)


def test_a_tuple_that_was_saved_loads_as_the_pair(tmp_path):
    file = tmp_path / "pair.nx"
    interchange.save(file, PAIR)
    for found, wanted in zip(interchange.load(file, (ENCODER, DECODER)), PAIR, strict=True):
        same(found, wanted)
    same(interchange.load(file, DECODER), PAIR[1])
    assert interchange.recognised(interchange.load(file)).output_size == 6


def test_two_models_of_one_kind_keep_their_order(tmp_path):
    file = tmp_path / "encoders.nx"
    both = ENCODER.init(0), ENCODER.init(1)
    interchange.save(file, both)
    for found, wanted in zip(interchange.load(file, (ENCODER, ENCODER)), both, strict=True):
        same(found, wanted)
    with pytest.raises(interchange.InterchangeError, match="has no layer"):
        interchange.load(file, ENCODER)
