"""Files of Edifice.Checkpoint, written by Edifice's main of July 2026 on Nx 0.10.0."""

import zlib

import numpy as np
import pytest

from edifice_py import interchange, vae
from edifice_py.interchange import nx_file
from tests.edifice_py.interchange.make import DATA

MODELS = vae.build(input_size=6, latent_size=2, encoder_sizes=[4], decoder_sizes=[3])
ENCODER = MODELS[0].init(42)
FILES = ("checkpoint", "checkpoint_metadata", "checkpoint_compressed")


@pytest.mark.parametrize("name", FILES)
def test_a_checkpoint_has_the_weights_of_its_seed(name):
    encoder = interchange.load(DATA / f"{name}.nx", MODELS[0])
    for layer, arrays in ENCODER.items():
        for kind, array in arrays.items():
            np.testing.assert_array_equal(encoder[layer][kind], array)


@pytest.mark.parametrize("name", FILES[1:])
def test_a_checkpoint_of_a_pair_is_a_pair(name):
    _, decoder = interchange.load(DATA / f"{name}.nx", MODELS)
    np.testing.assert_array_equal(
        decoder["decoder_output"]["kernel"], MODELS[1].init(42)["decoder_output"]["kernel"]
    )


@pytest.mark.parametrize("name", FILES)
def test_the_same_numbers_give_the_same_file_metadata_and_all(name, tmp_path):
    file = DATA / f"{name}.nx"
    document = interchange.read(file)
    interchange.save(tmp_path / "again.nx", document.params, like=document)
    assert (tmp_path / "again.nx").read_bytes() == file.read_bytes()


def test_inspect_tells_of_a_checkpoint():
    form = interchange.inspect(DATA / "checkpoint_compressed.nx").form
    assert form["Edifice.Checkpoint"] == "16 bytes of metadata, not read, compressed"
    assert "Edifice.Checkpoint" not in interchange.inspect(DATA / "encoder_state.nx").form


def test_a_pair_beside_an_optimizer_loads_as_the_pair():
    encoder, _ = interchange.load(DATA / "pair_and_optimizer.nx", MODELS)
    np.testing.assert_array_equal(encoder["mu"]["kernel"], ENCODER["mu"]["kernel"])


NX = nx_file.document({"a": np.zeros(2**14, np.float32)}).to_bytes()
PACKED = zlib.compress(NX)
BOMB = zlib.compress(NX + bytes(2**25))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\1\0\0\0\0" + PACKED[:-9], "ends before its numbers do"),
        (b"\1\0\0\0\0" + PACKED + b"abc", "3 bytes follow the compressed checkpoint"),
        (b"\1\0\0\0\0" + PACKED[:9] + b"\xff" * 99, "the compressed checkpoint is broken"),
        (b"\1\0\0\0\0" + BOMB, "holds more than 32 times its size"),
        (b"\0\0\0\0\0" + NX[:-4], "the file ends 4 bytes before the end of 'a'"),
        (b"\0\xff\xff\xff\xff" + NX, "begins with b'nx'"),
        (b"\0\0\0\0\0" + PACKED, "begins with b'nx'"),
        (b"\0\0", "begins with b'nx'"),
    ],
)
def test_a_broken_checkpoint_is_told_in_a_sentence(content, words, tmp_path):
    (tmp_path / "a.nx").write_bytes(content)
    with pytest.raises(interchange.InterchangeError, match=words) as error:
        interchange.load(tmp_path / "a.nx")
    assert "\n" not in str(error.value)
