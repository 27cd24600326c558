"""`python -m edifice_py convert` and `inspect`."""

import json
import subprocess
import sys

import numpy as np
import pytest

from edifice_py import interchange
from edifice_py.__main__ import main
from tests.edifice_py.interchange import make

ENCODER = make.DATA / "encoder_state.nx"
MIXED = make.DATA / "mixed_types.nx"


def test_there_and_back_is_every_bit(tmp_path):
    there, back = tmp_path / "there.safetensors", tmp_path / "back.nx"
    assert main(["convert", str(ENCODER), str(there)]) == 0
    assert main(["convert", str(there), str(back)]) == 0
    assert back.read_bytes() == ENCODER.read_bytes()
    assert (tmp_path / "there.safetensors.json").exists()


def test_between_files_of_nx_all_stays_to_the_last_byte(tmp_path):
    for file in make.RECORDED:
        assert main(["convert", str(file), str(tmp_path / "copy.axon")]) == 0
        assert (tmp_path / "copy.axon").read_bytes() == file.read_bytes()


def test_containers_formats_and_metadata_are_options(tmp_path):
    weights = tmp_path / "weights.bin"
    command = ["convert", str(ENCODER), str(weights)]
    assert main([*command, "--to", "nx", "--container", "map"]) == 0
    assert isinstance(interchange.read(weights, format="nx").node, dict)
    packed = ["convert", str(weights), str(tmp_path / "x"), "--from", "axon"]
    assert main([*packed, "--to", "safetensors", "--metadata"]) == 0
    assert interchange.read(tmp_path / "x", format="safetensors").metadata


def test_inspect_tells_all(tmp_path, capsys):
    params = {
        "bad\x1b[2J": np.array([np.nan, 1, np.inf, -np.inf], np.float16),
        "count": np.array(3, np.int8),
    }
    path = tmp_path / "x.nx"
    interchange.save(path, params)
    assert main(["inspect", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["arrays"] == [
        {"name": "bad\x1b[2J", "type": "f16", "shape": [4], "nbytes": 8, "nan": 1, "inf": 2},
        {"name": "count", "type": "s8", "shape": [], "nbytes": 1, "nan": 0, "inf": 0},
    ]
    assert said["format"] == "nx"
    assert said["nbytes"] == path.stat().st_size
    assert said["architecture"] is None
    assert len(said["digest"]) == 64
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "2 arrays, 5 numbers, 1 of them NaN, 2 infinite" in text
    assert "\x1b" not in text


def test_inspect_tells_the_architecture_and_the_container(capsys):
    assert main(["inspect", str(ENCODER)]) == 0
    text = capsys.readouterr().out
    assert "architecture: input_size=4, latent_size=2, encoder_sizes=[6, 5]" in text
    assert "encoder_dense_0/kernel  f32   [4, 6]  96" in text
    assert "frozen_parameters" in text


def test_inspect_tells_whether_the_sidecar_is_of_these_weights(tmp_path, capsys):
    path = tmp_path / "x.safetensors"
    beside = tmp_path / "x.safetensors.json"

    def said():
        assert main(["inspect", str(path), "--json"]) == 0
        return json.loads(capsys.readouterr().out)["form"]["sidecar"]

    interchange.save(path, {"a": np.ones(1)})
    assert said() == "fits"
    old = beside.read_bytes()
    interchange.save(path, {"a": np.zeros(1)})
    beside.write_bytes(old)
    assert said() == "of other weights"
    beside.write_bytes(b"[" * 10**6)
    assert said() == "broken"
    beside.unlink()
    assert said() == "missing"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "none.nx"], "No such file"),
        (
            ["inspect", "x.nxx"],
            "must be one of axon, nx, safetensors, not 'nxx'; did you mean 'nx'",
        ),
        (["inspect", __file__, "--from", "nx"], "begins with b'nx', not"),
        (["convert", str(ENCODER), "x.pkl"], "must be one of axon, nx, safetensors, not 'pkl'"),
        (["convert", str(ENCODER), "no/x.nx"], "No such file or directory"),
        (["convert", str(ENCODER), "x.nx", "--metadata"], "metadata is no option for a file of nx"),
        (["convert", str(MIXED), "x.nx", "--container", "model_state"], "container='map' writes"),
    ],
)
def test_an_error_is_one_sentence_and_the_code_is_2(
    arguments, words, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.startswith("edifice_py: ")
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert not list(tmp_path.iterdir())


def test_as_a_program(tmp_path):
    command = [sys.executable, "-m", "edifice_py"]
    ran = subprocess.run([*command, "convert", ENCODER, tmp_path / "x.nx"], check=False)
    assert ran.returncode == 0
    assert (tmp_path / "x.nx").read_bytes() == ENCODER.read_bytes()


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("x.nx", {"metadata": True}, "metadata is no option for a file of nx"),
        ("x.safetensors", {"container": "map"}, "container is no option for a file of safetensors"),
        ("x.nx", {"container": "maps"}, "did you mean 'map'"),
        ("x", {"format": "axxon"}, "format must be one of axon, nx, safetensors.* mean 'axon'"),
    ],
)
def test_an_option_that_is_not_of_the_format_is_refused(path, options, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        interchange.save(tmp_path / path, {"a": np.ones(1)}, **options)


def test_container_and_like_exclude_each_other(tmp_path):
    document = interchange.read(ENCODER)
    with pytest.raises(ValueError, match="exclude each other"):
        interchange.save(tmp_path / "x.nx", document.params, like=document, container="map")
