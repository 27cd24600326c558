"""Files of safetensors: flat names, a sidecar that says what they mean, and refusals."""

import itertools
import json
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from edifice_py import interchange, vae
from edifice_py.interchange import safetensors_file
from tests.edifice_py.interchange import make

ONE = np.ones(1, np.float32)


def pair():
    models = vae.build(input_size=6, latent_size=2, encoder_sizes=[5, 4], decoder_sizes=[3])
    params = {
        name: model.init(1) for name, model in zip(("encoder", "decoder"), models, strict=True)
    }
    return models, params


def test_names_are_flat_and_the_file_has_no_metadata(tmp_path):
    (encoder, _), params = pair()
    path = tmp_path / "encoder.safetensors"
    interchange.save(path, params["encoder"])
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() is None
        assert "encoder_dense_0.kernel" in file.keys()  # noqa: SIM118 # it is no dictionary
        kernel = file.get_tensor("mu.kernel")
    np.testing.assert_array_equal(kernel, params["encoder"]["mu"]["kernel"])
    x = jnp.ones((2, 6))
    again = encoder.apply(interchange.load(path, encoder), x)
    np.testing.assert_array_equal(again["mu"], encoder.apply(params["encoder"], x)["mu"])


def test_the_sidecar_says_what_the_numbers_mean(tmp_path):
    _, params = pair()
    interchange.save(tmp_path / "vae.safetensors", params)
    said = json.loads((tmp_path / "vae.safetensors.json").read_text())
    assert said["format"] == "edifice_py.interchange/1"
    assert said["architecture"] == {
        "input_size": 6,
        "latent_size": 2,
        "encoder_sizes": [5, 4],
        "decoder_sizes": [3],
        "output_size": 6,
    }
    assert said["conventions"]["log_var"].startswith("natural logarithm")
    interchange.save(tmp_path / "vae.nx", params)
    assert said["digest"] == interchange.inspect(tmp_path / "vae.nx").digest


def test_metadata_is_an_option(tmp_path):
    path = tmp_path / "vae.safetensors"
    interchange.save(path, pair()[1], metadata=True)
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata()
    assert json.loads(metadata["architecture"])["latent_size"] == 2
    assert interchange.read(path).metadata == metadata


def test_weights_are_read_without_the_sidecar(tmp_path):
    path = tmp_path / "vae.safetensors"
    interchange.save(path, pair()[1])
    (tmp_path / "vae.safetensors.json").unlink()
    assert interchange.load(path).keys() == {"encoder", "decoder"}


@pytest.mark.parametrize(
    "tree",
    [
        {"a.b": ONE, "a": {"b": ONE}},
        {"a%2Eb": ONE, "a": {"%": ONE, "%30": ONE, ".": ONE}},
        {"a": {"0": ONE}, "b": {"0": ONE, "1": ONE}, "c": {"0": ONE, "2": ONE}, "d": (ONE, ONE)},
        {"0": ONE, "1": {"": ONE}, "": {"": {"": ONE}}},
        {"a": tuple(np.full(1, i, np.float32) for i in range(11))},
        {},
    ],
)
def test_names_that_look_like_other_names(tree):
    found, _ = safetensors_file.parse(safetensors_file.serialize(tree))
    assert make.same_bits(found, tree)


def test_numbered_names_of_others_are_a_tuple():
    data = safetensors.numpy.save({"net.0.weight": ONE, "net.1.weight": ONE, "net.2.weight": ONE})
    found, _ = safetensors_file.parse(data)
    assert make.same_bits(found, {"net": ({"weight": ONE},) * 3})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ends after 0 bytes"),
        (b"\xff" * 8, "ends after 8 bytes, within its header"),
        ((2**20).to_bytes(8, "little") + bytes(2**20), "at most 524288 bytes, not 1048576"),
        (make.safetensors(b"[]"), "not a safetensors file"),
        (make.safetensors(b'{"a":' + b"[" * 5000), "not a safetensors file: .*"),
        (make.safetensors({"a": make.entry()}), "not a safetensors file: .*"),
        (make.safetensors({"a": make.entry()}, bytes(9)), "not a safetensors file"),
        (
            make.safetensors({"a": make.entry("I8", (2**63, 4))}, bytes(8)),
            "not a safetensors file: .*",
        ),
        (make.safetensors({"a": make.entry("U8", (0, 2**63), (0, 0))}), "has the shape"),
        (
            make.safetensors({"a": make.entry("F8_E5M2", (8,))}, bytes(8)),
            "'a' has the type 'F8_E5M2'",
        ),
        (make.safetensors({"a": make.entry("BOOL", (8,))}, bytes(8)), "the type 'BOOL'; those"),
        (
            make.safetensors(
                b'{"a":%b,"a":%b}' % ((json.dumps(make.entry()).encode(),) * 2), bytes(8)
            ),
            "'a' stands twice in the header",
        ),
        (
            make.safetensors({"a": make.entry(), "a.b": make.entry(offsets=(8, 16))}, bytes(16)),
            "'a.b' stands within another array",
        ),
        (
            make.safetensors({"a.b": make.entry(), "a": make.entry(offsets=(8, 16))}, bytes(16)),
            "'a' is an array and a dictionary",
        ),
        (
            make.safetensors({"%": make.entry(), "%25": make.entry(offsets=(8, 16))}, bytes(16)),
            "the name '%' stands for another one too",
        ),
        (
            make.safetensors(
                {"a.%30": make.entry(), "a.0": make.entry(offsets=(8, 16))}, bytes(16)
            ),
            "the name '%30' stands for another one too",
        ),
        (make.safetensors({"." * 40: make.entry()}, bytes(8)), "more than 32 levels"),
    ],
    ids=itertools.count(),
)
def test_what_cannot_be_read_is_said_in_a_sentence(data, words):
    with pytest.raises(interchange.InterchangeError, match=words):
        safetensors_file.parse(data)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (ONE, "need a dictionary"),
        ({"a": {"b": {}}}, "'a/b' is empty, which flat names cannot say"),
        ({"a": ()}, "'a' is empty"),
        ({"__metadata__": ONE}, "means something else"),
        ({"\ud800": ONE}, "no text of Unicode"),
        ({"a": [ONE]}, "give a tuple"),
        ({"a" * 2**19: ONE}, "the names and shapes need [0-9]+ bytes; at most 524288"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(params, words, tmp_path):
    with pytest.raises(interchange.InterchangeError, match=words):
        interchange.save(tmp_path / "x.safetensors", params)
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'edifice-py\[interchange\]'"):
        interchange.save(tmp_path / "x.safetensors", {"a": ONE})
