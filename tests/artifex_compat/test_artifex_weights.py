"""Weights from and to checkpoints of the released Artifex.

`fixtures/artifex-0.1.3.zip` was written by avitai-artifex 0.1.3 itself: its `VAE` and its `VQVAE`
as made here, from `nnx.Rngs(3)`, after one forward pass in training mode, saved by its
`save_checkpoint` as step 5; and what their `encode` and `decode` then gave in `eval()`.
"""

import json
import shutil
import time
import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import nnx

from artifex_compat.artifex_weights import load_artifex_weights, save_artifex_weights
from artifex_compat.edifice_weights import edifice_params, load_edifice_params
from artifex_compat.generative_models.models.vae import VAE, VQVAE, MLPDecoder, MLPEncoder
from edifice_py import interchange
from edifice_py.interchange import InterchangeError
from tests.artifex_compat.make import LATENT, MODELS, by_config, by_parts, images, state_of

SIZES = {"hidden_dims": (5, 4), "latent_dim": 4}
ENCODER = {"input_shape": (4, 3, 1), **SIZES}
DECODER = {"output_shape": (4, 3, 1), **SIZES}
ELIXIR = Path(__file__).parents[1] / "edifice_py" / "interchange" / "data"
RECORDED = {"dense": (VAE, "dense"), "vq_cnn": (VQVAE, "cnn")}
NEW_IN_VQ = ("embeddings", "usage")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifex")
    with zipfile.ZipFile(Path(__file__).parent / "fixtures" / "artifex-0.1.3.zip") as archive:
        archive.extractall(folder)
    return folder


def model_of(name, **options):
    kind, encoder_type = RECORDED[name]
    parts = {"encoder": ENCODER, "decoder": DECODER, **options}
    return by_config(kind, rngs=9, encoder_type=encoder_type, **parts)


@pytest.mark.parametrize("name", RECORDED)
def test_a_checkpoint_of_artifex_gives_artifexs_numbers(name, recorded):
    model = model_of(name)
    assert load_artifex_weights(model, recorded / name) == 5
    expected = json.loads((recorded / "expected.json").read_text())
    mean, _ = model.encode(jnp.asarray(expected["input"], jnp.float32))
    close = {"rtol": 2e-5, "atol": 2e-6}
    np.testing.assert_allclose(mean, expected[name]["mean"], **close)
    np.testing.assert_allclose(model.decode(mean), expected[name]["decoded"], **close)


def test_a_checkpoint_of_ours_has_the_state_that_artifexs_has(recorded, tmp_path):
    save_artifex_weights(model_of("dense"), tmp_path, 7)

    def state(folder):
        tree = ocp.PyTreeCheckpointHandler().metadata(folder / "model").tree
        flat, structure = ocp.utils.to_flat_dict(tree), list(ocp.utils.to_flat_dict(tree))
        return structure, [(type(leaf), leaf.shape, leaf.dtype) for leaf in flat.values()]

    assert state(tmp_path / "7") == state(recorded / "dense" / "5")


@pytest.mark.parametrize("kind", MODELS)
def test_there_and_back_is_every_bit(kind, tmp_path):
    model, other = by_config(kind), by_config(kind, rngs=8)
    save_artifex_weights(model, tmp_path)
    assert load_artifex_weights(other, tmp_path) == 0
    was, found = state_of(model), state_of(other)
    for path in was:
        if path != NEW_IN_VQ:
            np.testing.assert_array_equal(was[path], found[path], err_msg=str(path))


def test_the_newest_step_is_loaded_or_the_one_that_is_named(tmp_path):
    first, second, model = by_config(), by_config(rngs=1), by_config(rngs=2)
    save_artifex_weights(second, tmp_path, 10)
    save_artifex_weights(first, tmp_path, 9)
    for step, wanted in ((None, second), (9, first)):
        assert load_artifex_weights(model, tmp_path, step) == (step or 10)
        kernel = model.encoder.mean_proj.kernel
        np.testing.assert_array_equal(kernel[...], wanted.encoder.mean_proj.kernel[...])


def test_averages_of_a_codebook_follow_the_codes_that_are_loaded(recorded):
    model = model_of("vq_cnn", use_ema=True, kmeans_init=True)
    load_artifex_weights(model, recorded / "vq_cnn")
    codebook = model.embeddings
    np.testing.assert_array_equal(codebook.total[...], codebook.embedding[...])
    assert codebook.started[...]


def test_a_loaded_model_trains(recorded):
    model = model_of("dense")
    load_artifex_weights(model, recorded / "dense")
    x = images(shape=(4, 3, 1))
    gradients = nnx.grad(lambda model: model.loss_fn(x=x)["loss"])(model)
    assert jnp.any(gradients["encoder"]["mean_proj"]["kernel"][...] != 0)


def test_a_file_of_elixir_goes_through_an_nnx_model_and_back(tmp_path):
    rngs = nnx.Rngs(0)
    model = VAE(
        MLPEncoder([6, 5], 2, input_dim=4, rngs=rngs),
        MLPDecoder([5], 4, 2, output_activation="linear", rngs=rngs),
        2,
        rngs=rngs,
    )
    file = ELIXIR / "params_map.nx"
    load_edifice_params(model, **interchange.load(file))
    expected = json.loads((ELIXIR / "expected.json").read_text())
    mean, log_var = model.encode(jnp.asarray(expected["input"], jnp.float32))
    decoded = model.decode(jnp.asarray(expected["latent"], jnp.float32))
    for found, name in ((mean, "mu"), (log_var, "log_var"), (decoded, "reconstruction")):
        np.testing.assert_allclose(found, expected[name], rtol=0, atol=1e-6)
    encoder, decoder = edifice_params(model)
    params = {"encoder": encoder, "decoder": decoder}
    interchange.save(tmp_path / "back.nx", params, container="map")
    assert (tmp_path / "back.nx").read_bytes() == file.read_bytes()


def no_norm():
    return model_of("dense", encoder={**ENCODER, "use_batch_norm": False})


def wider():
    return model_of("dense", encoder={**ENCODER, "hidden_dims": (6, 4)})


def late():
    rngs = nnx.Rngs(0)
    decoder = MLPDecoder([4], (4, 3, 1), LATENT, rngs=rngs)
    return VAE(MLPEncoder([4], LATENT, rngs=rngs), decoder, LATENT, rngs=rngs)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            wider,
            r"'encoder/backbone/batch_norms/0/bias' has the shape \[5\] there; "
            r"the model wants \[6\]",
        ),
        (no_norm, "the model has no 'encoder/backbone/batch_norms/0/bias', which the checkpoint"),
        (lambda: model_of("vq_cnn"), "there is no 'decoder/cnn/layers/0/bias', which the model"),
        (lambda: by_parts(VAE), r"has the shape \[4\] there; the model wants \[5\]"),
        (late, "encoder/weights has no weights before its first batch: give the encoder input_dim"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(model, words, recorded):
    model = model()
    before = nnx.state(model, nnx.Param)
    with pytest.raises(InterchangeError, match=words):
        load_artifex_weights(model, recorded / "dense")
    after = nnx.state(model, nnx.Param)
    assert before == after


def test_another_type_is_refused(tmp_path):
    model = by_config()
    save_artifex_weights(model, tmp_path)
    head = model.encoder.mean_proj
    head.bias = nnx.Param(head.bias[...].astype(jnp.bfloat16))
    with pytest.raises(InterchangeError, match="is float32 there; the model wants bfloat16"):
        load_artifex_weights(model, tmp_path)


def test_what_is_no_checkpoint_is_said_in_a_sentence(recorded, tmp_path):
    model = model_of("dense")
    with pytest.raises(InterchangeError, match="no checkpoint; its steps are: none"):
        load_artifex_weights(model, tmp_path)
    with pytest.raises(InterchangeError, match="no checkpoint of step 4; its steps are: 5"):
        load_artifex_weights(model, recorded / "dense", 4)
    (tmp_path / "3").mkdir()
    with pytest.raises(InterchangeError, match="step 3 holds no 'model'"):
        load_artifex_weights(model, tmp_path)


# Orbax leaves readers of broken arrays behind, which fail when nobody waits for them any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("broken", ["_METADATA", "manifest.ocdbt", "d"])
def test_a_broken_checkpoint_is_refused_and_changes_nothing(broken, recorded, tmp_path):
    shutil.copytree(recorded / "dense", tmp_path / "broken")
    path = tmp_path / "broken" / "5" / "model" / broken
    for file in path.iterdir() if path.is_dir() else [path]:
        file.write_bytes(file.read_bytes()[:-20])
    model = model_of("dense")
    before = state_of(model)
    with pytest.raises(InterchangeError, match="it cannot be read"):
        load_artifex_weights(model, tmp_path / "broken")
    time.sleep(0.5)
    for name, array in state_of(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_what_artifex_does_not_have_is_not_saved(tmp_path):
    model = by_config(encoder={"use_layer_norm": True, "use_batch_norm": False})
    with pytest.raises(InterchangeError, match="has no 'encoder/backbone/layer_norms/0/bias'"):
        save_artifex_weights(model, tmp_path)
    model = by_config(encoder_type="resnet", encoder={"hidden_dims": (4,)})
    with pytest.raises(InterchangeError, match=r"has no 'decoder/cnn/layers/0/conv1"):
        save_artifex_weights(model, tmp_path)


def test_a_step_is_a_number_and_not_written_twice(tmp_path):
    for step in (-1, 1.5, True):
        with pytest.raises(ValueError, match="step must be an integer from 0"):
            save_artifex_weights(by_config(), tmp_path, step)
    save_artifex_weights(by_config(), tmp_path, 1)
    with pytest.raises(InterchangeError, match="there is a checkpoint of step 1 already"):
        save_artifex_weights(by_config(), tmp_path, 1)


def test_the_projections_of_a_vq_vae_do_not_travel(recorded, tmp_path):
    model = model_of("vq_cnn", embedding_dim=3)
    with pytest.raises(InterchangeError, match=r"Artifex 0\.1\.3 has no 'project_in/"):
        save_artifex_weights(model, tmp_path)
    before = state_of(model)
    with pytest.raises(InterchangeError, match=r"the model wants"):
        load_artifex_weights(model, recorded / "vq_cnn")
    for path, value in state_of(model).items():
        np.testing.assert_array_equal(value, before[path])
