"""Edifice.Generative.VQVAE, function for function (Edifice 0.2.0).

    encoder, decoder = build(input_size=784, embedding_dim=16)
    params = {"encoder": encoder.init(42), "decoder": decoder.init(42)}
    codebook = init_codebook(512, 16, random.key(42))
    z_e = encoder.apply(params["encoder"], x)
    z_q, indices = quantize(z_e, codebook)
    output = decoder.apply(params["decoder"], z_q)
    total = loss(output, x, z_e, codebook[indices])

**The codebook learns from `codebook[indices]` only.** With the `z_q` of `quantize` in its place, as
Edifice's documentation has it, the loss is the same number, but the codebook has no gradient, and
the codebook loss pulls at the encoder instead: where the commitment weighs less than 1, it moves
each encoding away from its code.

In `quantize` and the losses 16-bit floats are computed in float32 and rounded once, at the end.
Integers count as float32.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from edifice_py import checks, nx
from edifice_py.axon import Model
from edifice_py.core import objective, reduce
from edifice_py.core import quantize as core_quantize
from edifice_py.core import reconstruction as core_reconstruction
from edifice_py.generative.codebook import init_codebook as init_codebook
from edifice_py.generative.codebook import quantize as quantize
from edifice_py.generative.networks import decoder, encoder

__all__ = [
    "build",
    "build_decoder",
    "build_encoder",
    "codebook_loss",
    "commitment_loss",
    "init_codebook",
    "loss",
    "quantize",
]


@checks.named
def build(
    *,
    input_size: int | None = None,
    embedding_dim: int = 64,
    num_embeddings: int = 512,
    encoder_sizes: Sequence[int] = (256, 128),
    decoder_sizes: Sequence[int] = (128, 256),
    activation: str = "relu",
) -> tuple[Model, Model]:
    """An encoder to the space of the codes, and a decoder from it.

    Args:
        input_size: features of an input, required.
        embedding_dim: dimensions of a code.
        num_embeddings: codes in the codebook, on which no network depends.
        encoder_sizes: units of the encoder's hidden layers.
        decoder_sizes: units of the decoder's hidden layers.
        activation: name of Axon's activation after each hidden layer.

    Returns:
        `(encoder, decoder)`, as from `build_encoder` and `build_decoder`, which also raise.

    Reference:
        Edifice.Generative.VQVAE.build/1.

    Example:
        >>> encoder, decoder = build(input_size=784, embedding_dim=16)
        >>> encoder.apply(encoder.init(0), jnp.zeros((2, 784))).shape
        (2, 16)
        >>> decoder.apply(decoder.init(0), jnp.zeros((2, 16))).shape
        (2, 784)
    """
    options: Any = {
        "input_size": input_size,
        "embedding_dim": embedding_dim,
        "encoder_sizes": encoder_sizes,
        "decoder_sizes": decoder_sizes,
        "activation": activation,
        "num_embeddings": num_embeddings,
    }
    return build_encoder(**options), build_decoder(**options)


@checks.named
def build_encoder(
    *,
    input_size: int | None = None,
    embedding_dim: int = 64,
    num_embeddings: int = 512,
    encoder_sizes: Sequence[int] = (256, 128),
    decoder_sizes: Sequence[int] = (128, 256),  # noqa: ARG001 # as in Edifice
    activation: str = "relu",
) -> Model:
    """An encoder: `[batch, input_size]` to `[batch, embedding_dim]`, without a last activation.

    Args:
        input_size: features of an input, required.
        embedding_dim: dimensions of a code.
        num_embeddings: codes in the codebook, on which no network depends.
        encoder_sizes: units of the hidden layers.
        decoder_sizes: not used; `build` takes all options, as in Edifice.
        activation: name of Axon's activation after each hidden layer.

    Returns:
        A model with the layers `encoder_dense_0`, ..., `encoder_to_embedding`.

    Raises:
        KeyError: `input_size` is missing.
        TypeError: there is no option of that name.
        ValueError: a size is no positive integer, or the activation unknown.

    Reference:
        Edifice.Generative.VQVAE.build_encoder/1.

    Example:
        >>> build_encoder(input_size=784, encoder_sizes=[]).heads
        (Dense(name='encoder_to_embedding', inputs=784, outputs=64),)
    """
    width = checks.positive_int("embedding_dim", embedding_dim)
    checks.positive_int("num_embeddings", num_embeddings)
    return encoder(input_size, encoder_sizes, ("encoder_to_embedding",), width, activation)


@checks.named
def build_decoder(
    *,
    output_size: int | None = None,
    input_size: int | None = None,
    embedding_dim: int = 64,
    num_embeddings: int = 512,
    encoder_sizes: Sequence[int] = (256, 128),  # noqa: ARG001 # as in Edifice
    decoder_sizes: Sequence[int] = (128, 256),
    activation: str = "relu",
) -> Model:
    """A decoder: `[batch, embedding_dim]` to `[batch, output_size]`, without a last activation.

    Args:
        output_size: features of a reconstruction; `input_size` where it is not given.
        input_size: the same, one of both is required.
        embedding_dim: dimensions of a code.
        num_embeddings: codes in the codebook, on which no network depends.
        encoder_sizes: not used; `build` takes all options, as in Edifice.
        decoder_sizes: units of the hidden layers.
        activation: name of Axon's activation after each hidden layer.

    Returns:
        A model with the layers `decoder_dense_0`, ..., `decoder_output`.

    Raises:
        KeyError: `output_size` and `input_size` are missing.
        TypeError: there is no option of that name.
        ValueError: a size is no positive integer, or the activation unknown.

    Reference:
        Edifice.Generative.VQVAE.build_decoder/1.

    Example:
        >>> build_decoder(output_size=784, decoder_sizes=[]).heads
        (Dense(name='decoder_output', inputs=64, outputs=784),)
    """
    width = checks.positive_int("embedding_dim", embedding_dim)
    checks.positive_int("num_embeddings", num_embeddings)
    return decoder(output_size, input_size, decoder_sizes, width, activation)


@checks.named
def commitment_loss(z_e: ArrayLike, z_q: ArrayLike) -> jax.Array:
    """Mean square of z_e - z_q over all elements, which moves the encoder only.

    Args:
        z_e: encodings, any shape.
        z_q: the code of each, same shape.

    Returns:
        A scalar.

    Raises:
        TypeError, ValueError: an argument is no array, or their shapes differ.

    Reference:
        Edifice.Generative.VQVAE.commitment_loss/2.

    Example:
        >>> float(commitment_loss(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]])))
        2.0
    """
    return _of_pair(core_quantize.commitment_loss, z_e, z_q)


@checks.named
def codebook_loss(z_e: ArrayLike, z_q: ArrayLike) -> jax.Array:
    """Mean square of z_e - z_q over all elements, which moves the codes only.

    Args:
        z_e: encodings, any shape.
        z_q: the code of each, same shape: `codebook[indices]`, for the codebook to learn.

    Returns:
        A scalar.

    Raises:
        TypeError, ValueError: an argument is no array, or their shapes differ.

    Reference:
        Edifice.Generative.VQVAE.codebook_loss/2.

    Example:
        >>> float(codebook_loss(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]])))
        2.0
    """
    return _of_pair(core_quantize.codebook_loss, z_e, z_q)


@checks.named
def loss(
    reconstruction: ArrayLike,
    target: ArrayLike,
    z_e: ArrayLike,
    z_q: ArrayLike,
    *,
    commitment_weight: ArrayLike = 0.25,
) -> jax.Array:
    """Mean squared error, the codebook loss, and `commitment_weight` times the commitment loss.

    Args:
        reconstruction: decoder output, any shape.
        target: what it should be, same shape.
        z_e: encodings, any shape.
        z_q: the code of each, same shape: `codebook[indices]`, for the codebook to learn. With the
            `z_q` of `quantize` it does not: see the module.
        commitment_weight: the weight of the commitment, at least 0; or an array of weights.

    Returns:
        A scalar, or the loss of each weight in the shape of `commitment_weight`. It is float32 for
        16-bit inputs, since Nx reads a float weight as float32; an integer leaves them their type.

    Raises:
        TypeError, ValueError: an argument is no array, `reconstruction` and `target`, or `z_e` and
            `z_q`, differ in shape, or the weight is negative or not finite.

    Reference:
        Edifice.Generative.VQVAE.loss/5.

    Example:
        >>> x, z_e, z_q = jnp.zeros((2, 4)), jnp.zeros((2, 3)), jnp.ones((2, 3))
        >>> float(loss(x + 1, x, z_e, z_q))
        2.25
    """
    reconstruction, target = checks.same_shape(reconstruction=reconstruction, target=target)
    z_e, z_q = _pair(z_e, z_q)
    weight = nx.number(_weights(commitment_weight))
    dtype = nx.float_type(reconstruction, target, z_e, z_q, weight)
    return nx.evaluate(_loss, dtype, reconstruction, target, z_e, z_q, weight)


def _loss(
    output: jax.Array, target: jax.Array, z_e: jax.Array, z_q: jax.Array, weights: jax.Array
) -> jax.Array:
    terms = (
        reduce.element_mean(core_reconstruction.squared_error(output, target)),
        core_quantize.codebook_loss(z_e, z_q),
        core_quantize.commitment_loss(z_e, z_q),
    )
    weighted = partial(objective.vector_quantization_objective, *terms)
    return jax.vmap(weighted)(weights.ravel()).reshape(weights.shape)


def _of_pair(formula: Callable[..., jax.Array], z_e: ArrayLike, z_q: ArrayLike) -> jax.Array:
    z_e, z_q = _pair(z_e, z_q)
    return nx.evaluate(formula, nx.float_type(z_e, z_q), z_e, z_q)


def _pair(z_e: ArrayLike, z_q: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    """Both, with an axis at least: the formulas are of vectors."""
    z_e, z_q = checks.same_shape(z_e=z_e, z_q=z_q)
    return (z_e, z_q) if jnp.ndim(z_e) else (jnp.reshape(z_e, 1), jnp.reshape(z_q, 1))


def _weights(value: ArrayLike) -> ArrayLike:
    weights = checks.array("commitment_weight", value)
    if not isinstance(weights, jax.core.Tracer):
        for weight in np.asarray(weights).ravel():
            checks.weight("commitment_weight", weight)
    return weights
