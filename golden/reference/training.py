"""A training run of Edifice's VAE in float64: 20 lines of calculus and Adam."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from golden.arrays import Array
from golden.reference import gaussian, network, random


def run(options: Mapping[str, Any], batches: Array) -> dict[str, Array]:
    """One Adam step a batch, the key threaded through; losses, final parameters, final key."""
    key = random.key(options["seed"])
    encoder, decoder = encoder_of(options), decoder_of(options)
    params = encoder.init(options["seed"]) | decoder.init(options["seed"])
    beta = f32(options.get("beta", 1.0))
    adam = Adam(params, options["learning_rate"])
    losses = []
    for x in batches:
        (mu, log_var), encoder_before = encoder.forward(params, x)
        noise, key = random.normal(key, mu.shape, np.dtype(np.float32))
        z = gaussian.reparameterize(mu, log_var, noise)
        (output,), decoder_before = decoder.forward(params, z)
        losses.append(loss(output, x, mu, log_var, beta))
        error = 2 * (output - x) / x.size
        decoder_gradients, by_z = decoder.backward(params, decoder_before, [error])
        by_heads = posterior_gradients(mu, log_var, z, by_z, beta)
        encoder_gradients, _ = encoder.backward(params, encoder_before, by_heads)
        params = adam.step(params, encoder_gradients | decoder_gradients)
    final = {f"final/{path}": value for path, value in params.items()}
    return {"losses": np.array(losses), "new_key": key, **final}


def encoder_of(options: Mapping[str, Any]) -> network.Network:
    """The VAE's encoder."""
    return network.encoder(options, ("mu", "log_var"), options.get("latent_size", 32))


def decoder_of(options: Mapping[str, Any]) -> network.Network:
    """The VAE's decoder."""
    return network.decoder(options, options.get("latent_size", 32))


def loss(output: Array, target: Array, mu: Array, log_var: Array, beta: float = 1.0) -> Array:
    """Mean squared error plus beta KL."""
    return np.mean((output - target) ** 2) + beta * gaussian.kl_divergence(mu, log_var)


def posterior_gradients(
    mu: Array, log_var: Array, z: Array, by_z: Array, beta: float
) -> tuple[Array, Array]:
    """Gradients of loss(decode(z), ...) by mu and log_var: through z, and through the KL."""
    by_mu, by_log_var = kl_gradients(mu, log_var, beta)
    return by_z + by_mu, by_z * (z - mu) / 2 + by_log_var


def kl_gradients(mu: Array, log_var: Array, beta: float) -> tuple[Array, Array]:
    """Gradients of beta times the KL divergence by mu and log_var."""
    weight = beta / mu[..., 0].size
    by_mu = gaussian.kl_per_dimension_grad_mean(mu, log_var)
    by_log_var = gaussian.kl_per_dimension_grad_log_var(mu, log_var)
    return weight * by_mu, weight * by_log_var


def f32(number: float) -> float:
    """A number as Nx reads it beside float32."""
    return float(np.float32(number))


class Adam:
    """Kingma and Ba (2015), algorithm 1, with Polaris' 1e-15 inside the root."""

    def __init__(self, params: Mapping[str, Array], learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.count = 0
        self.mean = {path: np.zeros(value.shape) for path, value in params.items()}
        self.square = {path: np.zeros(value.shape) for path, value in params.items()}

    def step(self, params: Mapping[str, Array], gradients: Mapping[str, Array]) -> dict[str, Array]:
        """The parameters after one update."""
        self.count += 1
        updated = {}
        for path, gradient in gradients.items():
            self.mean[path] = 0.9 * self.mean[path] + 0.1 * gradient
            self.square[path] = 0.999 * self.square[path] + 0.001 * gradient**2
            mean = self.mean[path] / (1 - 0.9**self.count)
            root = np.sqrt(self.square[path] / (1 - 0.999**self.count) + 1e-15)
            updated[path] = params[path] - self.learning_rate * mean / (root + 1e-8)
        return updated
