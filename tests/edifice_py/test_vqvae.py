"""Edifice's VQ-VAE: what it computes, what learns, what it refuses. Golden cases have numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edifice_py import random, vqvae

CODES = np.float32([[0, 0], [1, 0], [0, 1]])
SMALL = st.floats(-4, 4, width=32)


@given(
    z_e=arrays(np.float32, (2, 3, 4), elements=SMALL),
    codebook=arrays(np.float32, (5, 4), elements=SMALL),
)
@settings(max_examples=30, deadline=None)
def test_each_encoding_gets_a_code_that_none_is_nearer_than(z_e, codebook):
    z_q, indices = vqvae.quantize(z_e, codebook)
    assert (z_q.shape, indices.shape, indices.dtype) == (z_e.shape, (2, 3), jnp.int32)
    distances = ((z_e[..., None, :].astype(np.float64) - codebook) ** 2).sum(axis=-1)
    chosen = np.take_along_axis(distances, np.asarray(indices)[..., None], axis=-1)[..., 0]
    assert np.all(chosen <= distances.min(axis=-1) + 1e-4)
    np.testing.assert_allclose(z_q, codebook[indices], atol=1e-5)


def objective(form):
    """The loss of encodings and a codebook, with a form of the codes in the losses."""

    def loss(z_e, codebook):
        z_q, indices = vqvae.quantize(z_e, codebook)
        codes = codebook[indices] if form == "gathered" else z_q
        return vqvae.loss(z_q, jnp.zeros_like(z_q), z_e, codes)

    return loss


def test_the_codebook_learns_from_codes_by_index_and_never_from_what_quantize_returns():
    z_e = np.float32([[0.9, 0.2], [0.1, 0.1]])
    documented, gathered = map(objective, ("straight_through", "gathered"))
    assert documented(z_e, CODES) == gathered(z_e, CODES)
    assert not np.any(jax.grad(documented, argnums=1)(z_e, CODES))
    moved = jax.grad(gathered, argnums=1)(z_e, CODES)
    np.testing.assert_allclose(
        moved, 2 / 4 * np.float32([[-0.1, -0.1], [0.1, -0.2], [0, 0]]), rtol=1e-5
    )


def test_a_commitment_below_1_moves_encodings_away_from_what_quantize_returns():
    z_e, still = np.float32([[0.9, 0.0]]), vqvae.quantize(np.float32([[0.9, 0.0]]), CODES)[0]

    def losses(z_e):
        z_q, _ = vqvae.quantize(z_e, CODES)
        return vqvae.loss(still, still, z_e, z_q, commitment_weight=0.25)

    step = -jax.grad(losses)(z_e)
    assert step[0, 0] < 0  # the code is at 1


def test_one_vector_is_a_batch_of_one():
    z_q, indices = vqvae.quantize(np.float32([0.9, 0.1]), CODES)
    assert (z_q.tolist(), indices.tolist()) == ([[1.0, 0.0]], [1])


def test_integers_keep_their_type_and_nan_wins_with_the_last_of_several():
    z_q, indices = vqvae.quantize(np.int32([[2, 1]]), np.int32([[0, 0], [3, 1]]))
    assert (z_q.dtype, z_q.tolist(), indices.tolist()) == (jnp.int32, [[3, 1]], [1])
    broken = np.float32([[np.nan, 0], [1, 0], [np.nan, 1], [5, 5]])
    assert vqvae.quantize(np.float32([[5, 5]]), broken)[1].tolist() == [2]


def test_a_codebook_is_drawn_anywhere_and_by_its_key_alone():
    default = vqvae.init_codebook(5, 3)
    np.testing.assert_array_equal(default, random.normal(random.key(42), (5, 3))[0])
    np.testing.assert_array_equal(jax.jit(lambda: vqvae.init_codebook(5, 3))(), default)
    assert np.any(vqvae.init_codebook(5, 3, random.key(1)) != default)


def test_losses_take_any_shape():
    for shape in ((), (2,), (2, 1, 3)):
        z_e, z_q = jnp.zeros(shape), jnp.ones(shape)
        assert vqvae.commitment_loss(z_e, z_q) == vqvae.codebook_loss(z_e, z_q) == 1
        assert vqvae.loss(z_e, z_e, z_e, z_q) == 1.25


def test_weights_may_be_an_array():
    x, z_e, z_q = jnp.zeros((2, 4)), jnp.zeros((2, 3)), jnp.ones((2, 3))
    weights = np.float32([[0, 1], [2, 3]])
    losses = vqvae.loss(x, x, z_e, z_q, commitment_weight=weights)
    np.testing.assert_array_equal(losses, 1 + weights)


X, Z = np.zeros((2, 4), np.float32), np.zeros((2, 2), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: vqvae.build(), KeyError, "needs input_size"),
        (lambda: vqvae.build_decoder(embedding_dim=3), KeyError, "needs output_size or input_size"),
        (
            lambda: vqvae.build(input_size=4, latent_size=3),
            TypeError,
            "has no option 'latent_size'",
        ),
        (
            lambda: vqvae.build(input_size=4, output_size=3),
            TypeError,
            "'output_size'; .*'input_size'",
        ),
        (lambda: vqvae.build(input_size=4, embedding_dim=0), ValueError, "embedding_dim must be a"),
        (lambda: vqvae.build(input_size=4, num_embeddings=0), ValueError, "num_embeddings must be"),
        (lambda: vqvae.build(input_size=4, activation="rleu"), ValueError, "did you mean 'relu'"),
        (
            lambda: vqvae.init_codebook(0, 2),
            ValueError,
            "num_embeddings must be a positive integer",
        ),
        (lambda: vqvae.init_codebook(2, 2, 7), TypeError, "key must be a key"),
        (
            lambda: vqvae.quantize(X, CODES),
            ValueError,
            r"z_e must have a last axis of 2, .*\[2, 4\]",
        ),
        (lambda: vqvae.quantize(1.0, CODES), ValueError, r"z_e must have a last axis of 2, .*\[\]"),
        (lambda: vqvae.quantize(Z, CODES[0]), ValueError, r"codebook must have the shape .*\[2\]"),
        (lambda: vqvae.quantize(Z, CODES[:0]), ValueError, r"a code at least, not \[0, 2\]"),
        (lambda: vqvae.quantize([[1.0]], CODES), TypeError, "z_e must be an array"),
        (
            lambda: vqvae.commitment_loss(Z, Z[:1]),
            ValueError,
            "z_e and z_q must have the same shape",
        ),
        (lambda: vqvae.codebook_loss(Z, X), ValueError, "z_e and z_q must have the same shape"),
        (
            lambda: vqvae.loss(X, Z, Z, Z),
            ValueError,
            "reconstruction and target must have the same",
        ),
        (
            lambda: vqvae.loss(X, X, Z, Z, commitment_cost=1),
            TypeError,
            "did you mean 'commitment_weight'",
        ),
        (
            lambda: vqvae.loss(X, X, Z, Z, commitment_weight=-1),
            ValueError,
            "non-negative number, not -1",
        ),
        (
            lambda: vqvae.loss(X, X, Z, Z, commitment_weight=np.float32([1, -1])),
            ValueError,
            "commitment_weight must be a non-negative number, not -1.0",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(call, error, words):
    with pytest.raises(error, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)
