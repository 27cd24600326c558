"""A model whose likelihood, posterior and ELBO are known: x = W z + b + noise."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

from artifex_compat.generative_models.models.vae import VAE
from edifice_py.core import gaussian

FEATURES, LATENT, VARIANCE = 6, 2, 0.3
_GENERATOR = np.random.default_rng(0)
# Columns at right angles, so that the posterior is a diagonal Gaussian.
_BASIS = np.linalg.qr(_GENERATOR.normal(size=(FEATURES, LATENT)))[0]
W = _BASIS * [1.5, 0.7]
B = _GENERATOR.normal(size=FEATURES)
POSTERIOR_VARIANCE = 1 / (1 + np.sum(W**2, axis=0) / VARIANCE)


def draw(count, seed=1):
    """Examples of the model, float32 `[count, FEATURES]`."""
    generator = np.random.default_rng(seed)
    z, noise = generator.normal(size=(count, LATENT)), generator.normal(size=(count, FEATURES))
    return (z @ W.T + B + np.sqrt(VARIANCE) * noise).astype(np.float32)


def log_likelihood_of(x):
    """Log p(x) in closed form, `[n]`."""
    covariance = W @ W.T + VARIANCE * np.eye(FEATURES)
    centred = x - B
    solved = np.linalg.solve(covariance, centred.T).T
    _, determinant = np.linalg.slogdet(2 * np.pi * covariance)
    return -0.5 * (determinant + np.sum(centred * solved, axis=1))


def posterior_of(x):
    """Mean and log-variance of p(z|x), `[n, LATENT]` each."""
    mean = (x - B) @ W / VARIANCE * POSTERIOR_VARIANCE
    return mean.astype(np.float32), np.broadcast_to(np.log(POSTERIOR_VARIANCE), mean.shape).astype(
        np.float32
    )


def log_likelihood(x, z):
    """Log p(x|z), with its constants."""
    mean = z @ jnp.asarray(W.T, jnp.float32) + jnp.asarray(B, jnp.float32)[None]
    spread = jnp.full_like(mean, np.log(VARIANCE))
    return jnp.sum(gaussian.log_density(x, mean, spread), axis=1)


class Encoder(nnx.Module):
    """The posterior, or one that is broader or elsewhere."""

    def __init__(self, broader=0.0, moved=0.0):
        self.broader, self.moved = broader, moved

    def __call__(self, x):
        """Mean and log-variance."""
        scale = jnp.asarray(W / VARIANCE * POSTERIOR_VARIANCE, jnp.float32)
        mean = (x - jnp.asarray(B, jnp.float32)[None]) @ scale
        log_var = jnp.asarray(np.log(POSTERIOR_VARIANCE), jnp.float32)[None] + self.broader
        return mean + self.moved, jnp.broadcast_to(log_var, mean.shape)


class Decoder(nnx.Module):
    """Mean of the data."""

    def __call__(self, z):
        """The mean."""
        return z @ jnp.asarray(W.T, jnp.float32) + jnp.asarray(B, jnp.float32)[None]


def model(**options):
    """It as a VAE."""
    return VAE(encoder=Encoder(**options), decoder=Decoder(), latent_dim=LATENT, rngs=nnx.Rngs(0))
