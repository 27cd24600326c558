"""What Erlang's own decoder makes of files that we write, with stand-ins for Nx and Axon."""

import shutil
import subprocess
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from edifice_py import interchange, vae
from edifice_py.interchange.arrays import BY_DTYPE
from edifice_py.interchange.trees import leaves

SCRIPT = Path(__file__).parent / "elixir" / "read.exs"
ELIXIR = shutil.which("elixir")

pytestmark = pytest.mark.skipif(ELIXIR is None, reason="elixir is not installed")


def told(path):
    """The lines that Elixir prints of a file."""
    ran = subprocess.run(
        [ELIXIR, SCRIPT, path], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "warning:" not in ran.stderr
    return set(ran.stdout.splitlines())


def tensors(tree):
    """The lines for the arrays of a tree."""
    return {
        " ".join(
            (
                f"/{'/'.join(path)}",
                f"{BY_DTYPE[array.dtype]}{list(array.shape)}",
                array.tobytes().hex().upper(),
            )
        )
        for path, array in leaves(tree)
    }


def test_a_pair_is_two_model_states(tmp_path):
    models = vae.build(input_size=4, latent_size=2, encoder_sizes=[3], decoder_sizes=[])
    params = {
        name: {layer: {k: np.asarray(v) for k, v in held.items()} for layer, held in given.items()}
        for name, given in zip(("encoder", "decoder"), (m.init(1) for m in models), strict=True)
    }
    interchange.save(tmp_path / "vae.nx", params)
    names = '["bias", "kernel"]'
    encoder = ", ".join(f'"{layer}" => {names}' for layer in ("encoder_dense_0", "log_var", "mu"))
    assert told(tmp_path / "vae.nx") == tensors(params) | {
        f"/encoder ModelState {{%{{{encoder}}}, %{{}}, %{{}}}}",
        f'/decoder ModelState {{%{{"decoder_output" => {names}}}, %{{}}, %{{}}}}',
    }


def test_maps_tuples_and_every_type(tmp_path):
    tree = {
        "é 日本": (np.array(-1, np.int64), {"x": np.ones((2, 0, 1), np.float16)}),
        "many": {f"k{i}": np.full(1, i, np.uint16) for i in range(300)},
        **{type_.name: np.ones((1, 2), type_) for type_ in BY_DTYPE},
    }
    tree["bfloat16"] = np.array([1.5, -0.0, np.nan], ml_dtypes.bfloat16)
    interchange.save(tmp_path / "x.nx", tree)
    assert told(tmp_path / "x.nx") == tensors(tree)
