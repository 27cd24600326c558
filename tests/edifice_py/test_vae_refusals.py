"""What the API of Edifice.Generative.VAE refuses, in one sentence, before any computation."""

import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from edifice_py import random
from edifice_py.generative import vae, vqvae

SMALL = {"input_size": 6, "latent_size": 3, "encoder_sizes": [5], "decoder_sizes": [4]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[0.0]], r"must be an array, not \[\[0.0\]\]; jax.numpy.asarray makes one"),
        (None, "must be an array, not None"),
        ({"mu": 1}, "must be an array, not {'mu': 1}"),
        (np.zeros((1, 1), complex), "must hold integers, float16, .*, not complex128"),
        (np.array([["a"]]), "must hold integers, .*, not <U1"),
        (jax.random.key(0), "must hold integers"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(value, words):
    one, encoder = jnp.ones((1, 1)), vae.build_encoder(input_size=1, encoder_sizes=[])
    params = encoder.init(0)
    for call, name in [
        (lambda: vae.kl_divergence(value, one), "mu"),
        (lambda: vae.kl_divergence(one, value), "log_var"),
        (lambda: vae.reparameterize(one, value, random.key(0)), "log_var"),
        (lambda: vae.loss(value, one, one, one), "reconstruction"),
        (lambda: vae.loss(one, one, one, one, beta=value), "beta"),
        (lambda: random.uniform(random.key(0), (1, 1), minval=value), "minval"),
        (lambda: random.normal(random.key(0), (1, 1), mean=value), "mean"),
        (lambda: encoder.apply(params, value), "x"),
        (
            lambda: encoder.apply({**params, "mu": {"kernel": value, "bias": one}}, one),
            r"params\['mu'\]\['kernel'\]",
        ),
    ]:
        with pytest.raises(TypeError, match=f"{name} {words}"):
            call()


def test_beta_is_one_number():
    one = jnp.ones((1, 3))
    with pytest.raises(ValueError, match=r"beta must be one number, not an array of \[3\]"):
        vae.loss(one, one, one, one, beta=jnp.ones(3))


def test_parameters_of_no_kind_and_of_other_models_are_told_apart():
    encoder, _ = vae.build(**SMALL)
    x, params = jnp.ones((2, 6)), encoder.init(0)
    for wrong in (None, x, []):
        with pytest.raises(KeyError, match="it has the layers of no model"):
            encoder.apply(wrong, x)
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.float16), params)
    other = {**half, "other": {"kernel": jnp.ones(3)}, "note": "a word"}
    assert encoder.apply(other, x.astype(jnp.float16))["mu"].dtype == jnp.float16


def test_shapes_that_do_not_match_are_refused():
    a, b = jnp.ones((2, 3)), jnp.ones((3,))
    same = "must have the same shape"
    with pytest.raises(ValueError, match=rf"mu and log_var {same}, not \[2, 3\] and \[3\]"):
        vae.kl_divergence(a, b)
    with pytest.raises(ValueError, match=f"mu and log_var {same}"):
        vae.reparameterize(a, b, random.key(0))
    with pytest.raises(ValueError, match=f"reconstruction and target {same}"):
        vae.loss(a, b, a, a)
    with pytest.raises(ValueError, match=f"mu and log_var {same}"):
        vae.loss(a, a, a, b)
    with pytest.raises(ValueError, match="mu must have a latent axis"):
        vae.kl_divergence(1.0, 1.0)


def test_inputs_and_parameters_that_do_not_fit_are_named():
    encoder, decoder = vae.build(**SMALL)
    params = encoder.init(0)
    with pytest.raises(ValueError, match=r"x must have a last axis of 6, not the shape \[2, 5\]"):
        encoder.apply(params, jnp.ones((2, 5)))
    with pytest.raises(ValueError, match=r"x must have a last axis of 6, not the shape \[\]"):
        encoder.apply(params, jnp.ones(()))
    with pytest.raises(KeyError, match=r"lacks 'kernel' of the layer 'decoder_dense_0'.*'mu'"):
        decoder.apply(params, jnp.ones((2, 3)))
    with pytest.raises(KeyError, match="of no model"):
        decoder.apply({}, jnp.ones((2, 3)))
    other = vae.build_encoder(**{**SMALL, "encoder_sizes": [7]}).init(0)
    with pytest.raises(ValueError, match=r"'kernel'\] must have the shape \[6, 5\], not \[6, 7\]"):
        encoder.apply(other, jnp.ones((2, 6)))


def test_what_is_neither_seed_nor_key_is_refused():
    encoder, _ = vae.build(**SMALL)
    with pytest.raises(TypeError, match="seed, where it is no integer, must be a key"):
        encoder.init("seven")
    with pytest.raises(ValueError, match="64"):
        encoder.init(2**64)


def test_a_key_that_is_none_is_refused_before_any_computation():
    with pytest.raises(TypeError, match="key must be a key"):
        vae.reparameterize(jnp.ones(2), jnp.ones(2), 42)


@pytest.mark.parametrize("beta", [-1, -1e-9, np.float32(-1), jnp.float32(-2), math.nan, math.inf])
def test_a_weight_is_not_negative(beta):
    one = jnp.ones((1, 3))
    with pytest.raises(ValueError, match="beta must be a non-negative number, not"):
        vae.loss(one, one, one, one, beta=beta)


@pytest.mark.parametrize(
    ("call", "given", "words"),
    [
        (vae.loss, "betta", "loss has no option 'betta'; it takes .*; did you mean 'beta'?"),
        (vae.loss, "logvar", "loss has no option 'logvar'; .*; did you mean 'log_var'?"),
        (vae.kl_divergence, "mean", "it takes mu, log_var."),
        (vqvae.loss, "comitment_weight", "did you mean 'commitment_weight'?"),
        (random.normal, "standard_deviaton", "did you mean 'standard_deviation'?"),
        (random.uniform, "min_val", "did you mean 'minval'?"),
        (random.split, "part", "did you mean 'parts'?"),
        (vae.reparameterize, "keys", "did you mean 'key'?"),
        (vae.build, "activations", "did you mean 'activation'?"),
        (vae.build_encoder, "encoder_size", "did you mean 'encoder_sizes'?"),
        (vae.build_decoder, "ouput_size", "did you mean 'output_size'?"),
        (vae.build_encoder, "latent", "did you mean 'latent_size'?"),
        (vae.build_encoder, "size", "activation."),
        (vae.build_encoder, "hiden_sizes", "'hiden_sizes'; it takes .*, activation."),
    ],
)
def test_an_unknown_name_gets_the_nearest_if_one_is_near(call, given, words):
    with pytest.raises(TypeError, match=words.replace("?", r"\?") + "$"):
        call(**{given: 1})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("RELU", "; did you mean 'relu'?"),
        ("rely", "; did you mean 'relu'?"),
        ("gelou", "; did you mean 'gelu'?"),
        ("rleu", "; did you mean 'relu'?"),
        ("hardtanh", "; did you mean 'hard_tanh'?"),
        ("identity", "."),
        ("x" * 10000, "."),
        (7, "."),
    ],
)
def test_an_unknown_choice_gets_the_nearest_if_one_is_near(value, words):
    with pytest.raises(ValueError, match=f"activation .*{re.escape(words)}$"):
        vae.build_encoder(input_size=2, activation=value)
