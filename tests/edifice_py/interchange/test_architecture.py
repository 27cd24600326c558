"""Which VAE weights are of, and what is said where they do not fit a model."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edifice_py import interchange, vae, vqvae

SIZES = st.integers(1, 5)


def params_of(models):
    return {name: model.init(0) for name, model in zip(("encoder", "decoder"), models, strict=True)}


def zeros_of(models):
    """The same without the numbers, which each new size would be compiled for."""
    shapes = jax.eval_shape(lambda: params_of(models))
    return jax.tree.map(lambda array: np.zeros(array.shape, array.dtype), shapes)


@settings(deadline=None, max_examples=25)
@given(SIZES, SIZES, st.lists(SIZES, max_size=3), st.lists(SIZES, max_size=3))
def test_the_sizes_of_every_model_are_recognised(inputs, latent, encoder, decoder):
    sizes = {"encoder_sizes": encoder, "decoder_sizes": decoder}
    models = vae.build(input_size=inputs, latent_size=latent, activation="tanh", **sizes)
    params = zeros_of(models)
    side_by_side = {**params["encoder"], **params["decoder"]}
    for given_as in (params, side_by_side):
        assert interchange.recognised(given_as).models("tanh") == models
    alone = [interchange.recognised(params[n]).models("tanh") for n in ("encoder", "decoder")]
    assert alone == [(models[0], None), (None, models[1])]


def changed(change):
    models = vae.build(input_size=6, latent_size=2, encoder_sizes=[5, 4], decoder_sizes=[3])
    params = params_of(models)
    change(params["encoder"], params["decoder"])
    return models, params


BROKEN = [
    (lambda e, _: e.pop("mu"), "no layer 'mu', which the model wants"),
    (lambda e, _: e.update(encoder_dense_2=e.pop("encoder_dense_1")), "nearest|wants"),
    (lambda e, _: e["mu"].pop("bias"), "layer 'mu' of the file has no 'bias'"),
    (lambda e, _: e["mu"].update(bias=(np.ones(2),)), "layer 'mu' of the file has no 'bias'"),
    (lambda e, _: e.update(mu=np.ones(2)), "no layer 'mu'"),
    (
        lambda e, _: e["mu"].update(kernel=np.ones((5, 2))),
        r"kernel of the layer 'mu' has the shape \[5, 2\] in the file; the model wants \[4, 2\]",
    ),
    (
        lambda _, d: d["decoder_output"].update(bias=np.ones(3)),
        r"'decoder_output' has the shape \[3\] in the file; the model wants \[6\]",
    ),
    (
        lambda _, d: d["decoder_dense_0"].update(kernel=np.ones((3, 3))),
        r"'decoder_dense_0' has the shape \[3, 3\] in the file; the model wants \[2, 3\]",
    ),
]


@pytest.mark.parametrize(("change", "words"), BROKEN)
def test_weights_that_do_not_fit_name_the_layer_and_both_shapes(change, words, tmp_path):
    models, params = changed(change)
    assert interchange.recognised(params) is None
    interchange.save(tmp_path / "weights.nx", params, container="map")
    with pytest.raises(interchange.InterchangeError, match=f"weights.nx: .*({words})"):
        interchange.load(tmp_path / "weights.nx", models)


@pytest.mark.parametrize(
    "params",
    [{}, np.ones(1), (np.ones(1),), {"encoder": {}}, {"encoder": np.ones(1)}, {"mu": np.ones(1)}],
)
def test_other_trees_are_of_no_model(params):
    assert interchange.recognised(params) is None


def test_layers_of_another_kind_are_of_no_model():
    _, params = changed(lambda e, _: e.update(conv=e["mu"]))
    assert interchange.recognised(params) is None
    _, params = changed(lambda e, _: e["mu"].update(scale=np.ones(1)))
    assert interchange.recognised(params) is None


def test_one_model_is_picked_from_a_file_of_both(tmp_path):
    (encoder, decoder), params = changed(lambda *_: None)
    interchange.save(tmp_path / "vae.nx", params)
    found = interchange.load(tmp_path / "vae.nx", decoder)
    assert found.keys() == params["decoder"].keys()
    z = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(decoder.apply(found, z), decoder.apply(params["decoder"], z))
    several = interchange.load(tmp_path / "vae.nx", [decoder, encoder])
    assert several[1].keys() == params["encoder"].keys()


def test_an_unknown_activation_is_refused():
    _, params = changed(lambda *_: None)
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        interchange.recognised(params).models("relo")


def test_a_pair_beside_a_codebook_and_an_optimizer_is_a_pair_and_travels_whole(tmp_path):
    models = vqvae.build(input_size=6, embedding_dim=3, encoder_sizes=[5], decoder_sizes=[4])
    parts = params_of(models)
    beside = {
        "codebook": vqvae.init_codebook(4, 3),
        "optimizer": {"mu": parts, "count": np.ones(1)},
    }
    interchange.save(tmp_path / "all.axon", parts | beside)
    for found, part in zip(interchange.load(tmp_path / "all.axon", models), parts, strict=True):
        assert jax.tree.all(jax.tree.map(np.array_equal, found, parts[part]))
    whole = interchange.load(tmp_path / "all.axon")
    assert jax.tree.all(jax.tree.map(np.array_equal, whole, parts | beside))
    states = interchange.inspect(tmp_path / "all.axon").form["Axon.ModelState"]
    assert set(states) == {"encoder", "decoder"}


def test_the_sizes_of_a_vq_vae_are_known():
    options = {"input_size": 6, "embedding_dim": 3, "encoder_sizes": (5,), "decoder_sizes": (4,)}
    models = vqvae.build(**options)
    encoder, decoder = (model.init(0) for model in models)
    found = interchange.recognised({"encoder": encoder, "decoder": decoder})
    assert found.as_json() == options | {"output_size": 6}
    assert found.models() == models
    assert interchange.recognised(encoder).models() == (models[0], None)
