"""Train a VQ-VAE on scikit-learn's digits with the functional API, and save what Elixir can load.

    python examples/vqvae_digits.py [--epochs N] [--codes K] [--seed S] [--out FOLDER]

Writes reconstructions.png and vqvae.axon, a file of Nx.serialize: a map of the encoder and the
decoder, each an Axon.ModelState, and the codebook.

The losses get `codebook[indices]` and not the `z_q` of `quantize`, from which a codebook does not
learn. The codebook starts at encodings of images: codes far from all of them would never be used.
"""

import argparse
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from digits import BATCH, TRAIN, digits
from edifice_py import interchange, vqvae
from pictures import draw_reconstructions

EMBEDDING = 8
ENCODER, DECODER = vqvae.build(input_size=64, embedding_dim=EMBEDDING)
OPTIMIZER = optax.adam(1e-3)
Params = dict[str, Any]


def reconstruct(params: Params, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Encode, quantize, decode: the reconstruction, the encodings, and their codes by index."""
    z_e = ENCODER.apply(params["encoder"], x)
    z_q, indices = vqvae.quantize(z_e, params["codebook"])
    return DECODER.apply(params["decoder"], z_q), z_e, indices


def loss(params: Params, x: jax.Array) -> jax.Array:
    """Edifice's loss of a batch, in the form from which the codebook learns."""
    output, z_e, indices = reconstruct(params, x)
    return vqvae.loss(output, x, z_e, params["codebook"][indices])


@jax.jit
def train_epoch(state: tuple[Params, Any], batches: jax.Array) -> tuple[tuple[Params, Any], Any]:
    """One pass over `[batches, batch, 64]`, compiled as a whole; the loss of each batch."""

    def step(state: tuple[Params, Any], x: jax.Array) -> tuple[tuple[Params, Any], jax.Array]:
        params, optimizer = state
        value, gradients = jax.value_and_grad(loss)(params, x)
        updates, optimizer = OPTIMIZER.update(gradients, optimizer)
        return (optax.apply_updates(params, updates), optimizer), value

    return jax.lax.scan(step, state, batches)


def train(epochs: int, codes: int, seed: int, images: np.ndarray) -> Params:
    """Train on the first 1,500 images."""
    params: Params = {"encoder": ENCODER.init(seed), "decoder": DECODER.init(seed)}
    params["codebook"] = ENCODER.apply(params["encoder"], images[:codes])
    state = params, OPTIMIZER.init(params)
    shuffle = np.random.default_rng(seed)
    for _ in range(epochs):
        batches = images[shuffle.permutation(TRAIN)].reshape(-1, BATCH, 64)
        state, _ = train_epoch(state, jnp.asarray(batches))
    return state[0]


def main() -> None:
    """Train, save, draw, and say how it went."""
    parser = argparse.ArgumentParser(description="Train a VQ-VAE on scikit-learn's digits.")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--codes", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/vqvae-digits"))
    options = parser.parse_args()
    if options.epochs < 1 or not 1 <= options.codes <= TRAIN:
        parser.error(f"--epochs must be at least 1, and --codes from 1 to {TRAIN}")

    images, _ = digits()
    params = train(options.epochs, options.codes, options.seed, images)
    output, _, indices = reconstruct(params, jnp.asarray(images[TRAIN:]))
    options.out.mkdir(parents=True, exist_ok=True)
    interchange.save(options.out / "vqvae.axon", params)
    draw_reconstructions(options.out / "reconstructions.png", images[TRAIN:], np.asarray(output))

    error = float(jnp.mean((output - images[TRAIN:]) ** 2))
    used = len(np.unique(indices))
    print(f"validation error {error:.4f} with {used} of {options.codes} codes in use")
    print(f"weights and pictures are in {options.out}")


if __name__ == "__main__":
    main()
