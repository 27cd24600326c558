"""Edifice.Generative.VAE, function for function (Edifice 0.2.0).

    encoder, decoder = build(input_size=784, latent_size=32)
    params = {"encoder": encoder.init(42), "decoder": decoder.init(42)}
    posterior = encoder.apply(params["encoder"], x)
    z, key = reparameterize(posterior["mu"], posterior["log_var"], key)
    total = loss(decoder.apply(params["decoder"], z), x, **posterior, beta=1.0)

In `reparameterize`, `kl_divergence` and `loss` 16-bit floats are computed in float32 and rounded
once, at the end. A network computes in the type of its parameters and input. Integers count as
float32.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from edifice_py import checks, nx, random
from edifice_py.axon import Model
from edifice_py.core import gaussian, objective, reduce
from edifice_py.core import reconstruction as core_reconstruction
from edifice_py.generative.networks import decoder, encoder


@checks.named
def build(
    *,
    input_size: int | None = None,
    latent_size: int = 32,
    encoder_sizes: Sequence[int] = (256, 128),
    decoder_sizes: Sequence[int] = (128, 256),
    activation: str = "relu",
) -> tuple[Model, Model]:
    """An encoder and a decoder.

    Args:
        input_size: features of an input, required.
        latent_size: dimensions of the latent space.
        encoder_sizes: units of the encoder's hidden layers.
        decoder_sizes: units of the decoder's hidden layers.
        activation: name of Axon's activation after each hidden layer.

    Returns:
        `(encoder, decoder)`, as from `build_encoder` and `build_decoder`, which also raise.

    Reference:
        Edifice.Generative.VAE.build/1.

    Example:
        >>> encoder, decoder = build(input_size=784, latent_size=16)
        >>> encoder.apply(encoder.init(0), jnp.zeros((2, 784)))["mu"].shape
        (2, 16)
        >>> decoder.apply(decoder.init(0), jnp.zeros((2, 16))).shape
        (2, 784)
    """
    options: Any = {
        "input_size": input_size,
        "latent_size": latent_size,
        "encoder_sizes": encoder_sizes,
        "decoder_sizes": decoder_sizes,
        "activation": activation,
    }
    return build_encoder(**options), build_decoder(**options)


@checks.named
def build_encoder(
    *,
    input_size: int | None = None,
    latent_size: int = 32,
    encoder_sizes: Sequence[int] = (256, 128),
    decoder_sizes: Sequence[int] = (128, 256),  # noqa: ARG001 # as in Edifice
    activation: str = "relu",
) -> Model:
    """An encoder: `[batch, input_size]` to `{"mu", "log_var"}`, each `[batch, latent_size]`.

    Args:
        input_size: features of an input, required.
        latent_size: dimensions of the latent space.
        encoder_sizes: units of the hidden layers.
        decoder_sizes: not used; `build` takes all options, as in Edifice.
        activation: name of Axon's activation after each hidden layer.

    Returns:
        A model with the layers `encoder_dense_0`, ..., `mu`, `log_var`.

    Raises:
        KeyError: `input_size` is missing.
        TypeError: there is no option of that name.
        ValueError: a size is no positive integer, or the activation unknown.

    Reference:
        Edifice.Generative.VAE.build_encoder/1.

    Example:
        >>> [layer.name for layer in build_encoder(input_size=784).trunk]
        ['encoder_dense_0', 'encoder_dense_1']
    """
    width = checks.positive_int("latent_size", latent_size)
    return encoder(input_size, encoder_sizes, ("mu", "log_var"), width, activation)


@checks.named
def build_decoder(
    *,
    output_size: int | None = None,
    input_size: int | None = None,
    latent_size: int = 32,
    encoder_sizes: Sequence[int] = (256, 128),  # noqa: ARG001 # as in Edifice
    decoder_sizes: Sequence[int] = (128, 256),
    activation: str = "relu",
) -> Model:
    """A decoder: `[batch, latent_size]` to `[batch, output_size]`, without a last activation.

    Args:
        output_size: features of a reconstruction; `input_size` where it is not given.
        input_size: the same, one of both is required.
        latent_size: dimensions of the latent space.
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
        Edifice.Generative.VAE.build_decoder/1.

    Example:
        >>> build_decoder(output_size=784, decoder_sizes=[]).heads
        (Dense(name='decoder_output', inputs=32, outputs=784),)
    """
    width = checks.positive_int("latent_size", latent_size)
    return decoder(output_size, input_size, decoder_sizes, width, activation)


@checks.named
def reparameterize(
    mu: ArrayLike, log_var: ArrayLike, key: jax.Array
) -> tuple[jax.Array, jax.Array]:
    r"""A sample of the posterior: \(z = \mu + \epsilon\,e^{\log\sigma^2/2}\).

    Args:
        mu: posterior mean, `[batch, latent_size]` or any other shape.
        log_var: log of the posterior variance, same shape; it is not clipped.
        key: the key to draw with, as from `edifice_py.random.key`.

    Returns:
        `(z, new_key)`: the sample in the shape of `mu`, and the key for the next one.

    Raises:
        TypeError, ValueError: the shapes differ, or `key` is no key.

    Reference:
        Edifice.Generative.VAE.reparameterize/3. Differs from it in taking integers.

    Example:
        >>> z, new_key = reparameterize(jnp.zeros(2), jnp.zeros(2), random.key(42))
        >>> new_key.tolist()
        [2465931498, 3679230171]
    """
    mu, log_var = checks.same_shape(mu=mu, log_var=log_var)
    noise, new_key = random.normal(key, jnp.shape(mu), nx.float_type(mu))
    dtype = nx.float_type(mu, log_var)
    return nx.evaluate(gaussian.reparameterize, dtype, mu, log_var, noise), new_key


@checks.named
def kl_divergence(mu: ArrayLike, log_var: ArrayLike) -> jax.Array:
    r"""KL of the posterior from N(0, I): \(-\frac12 \sum (1 + \log\sigma^2 - \mu^2 - \sigma^2)\).

    Args:
        mu: posterior mean, `[batch, latent_size]`; any number of leading axes, or none.
        log_var: log of the posterior variance, same shape.

    Returns:
        A scalar in nats: the sum over the last axis, the mean over all others.

    Raises:
        TypeError, ValueError: they are no arrays, or their shapes differ, or are those of scalars.

    Reference:
        Edifice.Generative.VAE.kl_divergence/2. Differs from it near the prior, where the order of
        its sum loses digits.

    Example:
        >>> float(kl_divergence(jnp.ones((2, 3)), jnp.zeros((2, 3))))
        1.5
    """
    mu, log_var = _posterior(mu, log_var)
    return nx.evaluate(gaussian.kl_divergence, nx.float_type(mu, log_var), mu, log_var)


@checks.named
def loss(
    reconstruction: ArrayLike,
    target: ArrayLike,
    mu: ArrayLike,
    log_var: ArrayLike,
    *,
    beta: ArrayLike = 1.0,
) -> jax.Array:
    """Mean squared error over all elements, plus `beta` times the KL divergence.

    The mean over D features makes the KL weigh D times what it weighs beside their sum: beta = 1 on
    a 64-pixel image is as strong as beta = 64 on its ELBO. Divide beta by D to undo that.

    Args:
        reconstruction: decoder output, any shape.
        target: what it should be, same shape.
        mu: posterior mean, `[batch, latent_size]`.
        log_var: log of the posterior variance, same shape.
        beta: the weight of the KL, one number of at least 0.

    Returns:
        A scalar. It is float32 for 16-bit inputs, since Nx reads a float `beta` as float32; an
        integer beta leaves them their type.

    Raises:
        TypeError, ValueError: an argument is no array, `reconstruction` and `target`, or `mu` and
            `log_var`, differ in shape, or `beta` is not one number, negative or not finite.

    Reference:
        Edifice.Generative.VAE.loss/5.

    Example:
        >>> x, mu = jnp.zeros((2, 4)), jnp.ones((2, 3))
        >>> float(loss(x + 1, x, mu, jnp.zeros_like(mu), beta=2.0))
        4.0
    """
    reconstruction, target = checks.same_shape(reconstruction=reconstruction, target=target)
    mu, log_var = _posterior(mu, log_var)
    weight = nx.number(checks.weight("beta", beta))
    dtype = nx.float_type(reconstruction, target, mu, log_var, weight)
    return nx.evaluate(_loss, dtype, reconstruction, target, mu, log_var, weight)


def _loss(
    output: jax.Array, target: jax.Array, mu: jax.Array, log_var: jax.Array, beta: jax.Array
) -> jax.Array:
    error = reduce.element_mean(core_reconstruction.squared_error(output, target))
    return objective.beta_objective(error, gaussian.kl_divergence(mu, log_var), beta)


def _posterior(mu: ArrayLike, log_var: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    mu, log_var = checks.same_shape(mu=mu, log_var=log_var)
    if jnp.ndim(mu) == 0:
        raise ValueError("mu must have a latent axis, [batch, latent_size], but it is a scalar.")
    return mu, log_var
