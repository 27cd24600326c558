"""The two APIs are one network: weights travel, and encode, decode, KL and loss agree."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.edifice_weights import SHARED_ACTIVATIONS, edifice_params, load_edifice_params
from artifex_compat.generative_models.models.vae import VAE, CNNEncoder, MLPDecoder, MLPEncoder
from edifice_py.generative import vae

X = jax.random.uniform(jax.random.key(0), (5, 6))


def nnx_model(activation="relu", **decoder):
    rngs = nnx.Rngs(9)
    options = {"output_activation": "linear", **decoder}
    return VAE(
        MLPEncoder([5, 4], 3, activation, 6, rngs=rngs),
        MLPDecoder([4, 5], 6, 3, activation, rngs=rngs, **options),
        3,
        kl_weight=0.3,
        rngs=rngs,
    )


def edifice_pair(activation="relu"):
    sizes = {"encoder_sizes": [5, 4], "decoder_sizes": [4, 5], "activation": activation}
    models = vae.build(input_size=6, latent_size=3, **sizes)
    return models, tuple(model.init(1) for model in models)


@pytest.mark.parametrize("activation", SHARED_ACTIVATIONS)
def test_encode_decode_kl_and_loss_agree(activation):
    (encoder, decoder), params = edifice_pair(activation)
    model = nnx_model(activation)
    load_edifice_params(model, *params)
    outputs = model(X)
    posterior = encoder.apply(params[0], X)
    close = {"rtol": 1e-6, "atol": 1e-6}
    np.testing.assert_allclose(outputs["mean"], posterior["mu"], **close)
    np.testing.assert_allclose(outputs["log_var"], posterior["log_var"], **close)
    decoded = decoder.apply(params[1], outputs["z"])
    np.testing.assert_allclose(outputs["reconstructed"], decoded, **close)
    terms = model.loss_fn(x=X, outputs=outputs)
    kl = vae.kl_divergence(posterior["mu"], posterior["log_var"])
    loss = vae.loss(decoded, X, posterior["mu"], posterior["log_var"], beta=0.3)
    np.testing.assert_allclose(terms["kl_loss"], jnp.mean(kl), rtol=1e-6)
    np.testing.assert_allclose(terms["loss"], loss, rtol=1e-6)


def test_there_and_back_is_every_bit():
    _, params = edifice_pair()
    model = nnx_model()
    load_edifice_params(model, *params)
    back = edifice_params(model)
    assert jax.tree.structure(back) == jax.tree.structure(params)
    jax.tree.map(np.testing.assert_array_equal, back, params)


def test_a_model_with_copied_weights_trains():
    model = nnx_model()
    load_edifice_params(model, *edifice_pair()[1])
    gradients = nnx.grad(lambda model: model.loss_fn(x=X)["loss"])(model)
    assert jnp.any(gradients["encoder"]["backbone"]["layers"][0]["kernel"][...] != 0)


def changed(change):
    encoder, decoder = edifice_pair()[1]
    change(encoder, decoder)
    return encoder, decoder


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda e, _: e.pop("mu"), KeyError, "lack 'kernel' of the layer 'mu'"),
        (lambda _, d: d["decoder_output"].pop("bias"), KeyError, "'bias' of the layer"),
        (lambda e, _: e.update(extra={}), ValueError, "has no layer 'extra'"),
        (lambda e, _: e["mu"].update(bias=jnp.ones(2)), ValueError, r"mu/bias .*\[3\], not \[2\]"),
        (lambda e, _: e["mu"].update(bias="no"), TypeError, "mu/bias must"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(change, error, words):
    model = nnx_model()
    before = edifice_params(model)
    with pytest.raises(error, match=words):
        load_edifice_params(model, *changed(change))
    jax.tree.map(np.testing.assert_array_equal, edifice_params(model), before)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: nnx_model(output_activation="sigmoid"), "output_activation='linear'"),
        (lambda: nnx_model(use_batch_norm=True), "decoder must have no use_batch_norm"),
        (lambda: nnx_model(dropout_rate=0.1), "decoder must have no dropout_rate"),
        (lambda: nnx_model("gelu"), "encoder must have an activation that Axon has too"),
    ],
)
def test_another_network_than_edifices_is_refused(model, words):
    with pytest.raises(ValueError, match=words):
        edifice_params(model())


def test_convolutions_and_missing_weights_are_refused():
    rngs = nnx.Rngs(0)
    decoder = MLPDecoder([4], 6, 3, output_activation="linear", rngs=rngs)
    cnn = CNNEncoder([4], 3, input_dim=(4, 4, 1), rngs=rngs)
    late = MLPEncoder([4], 3, rngs=rngs)
    for encoder, words in ((cnn, "must be an MLPEncoder"), (late, "has no weights")):
        with pytest.raises(ValueError, match=words):
            edifice_params(VAE(encoder, decoder, 3, rngs=rngs))
