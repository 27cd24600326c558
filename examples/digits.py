"""Train a VAE on real images with the functional API: scikit-learn's 1,797 digits of 8x8 pixels.

    python examples/digits.py [--epochs N] [--beta B] [--seed S] [--out FOLDER]

Writes metrics.jsonl, weights.npz and three pictures to the folder. The same seed gives the same
metrics, byte for byte.

On beta: Edifice's loss takes the mean of the squared error over the 64 pixels, but the sum of the
KL over the latent dimensions. So beta = 1 weighs as much here as beta = 64 on the ELBO of an image,
and the latent space collapses onto its prior. The default, 0.005, is beta = 0.32 there: samples
from the prior still look like digits, and most of what makes a digit its own is kept.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.datasets import load_digits

from edifice_py import random, vae
from pictures import draw_latent_space, draw_reconstructions, draw_samples

TRAIN, BATCH, LATENT = 1500, 100, 8
ENCODER, DECODER = vae.build(
    input_size=64, latent_size=LATENT, encoder_sizes=[256, 128], decoder_sizes=[128, 256]
)
OPTIMIZER = optax.adam(1e-3)
Params = dict[str, Any]


class State(NamedTuple):
    """What a step of training takes and returns."""

    params: Params
    optimizer: optax.OptState
    key: jax.Array


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images `[1797, 64]` in [0, 1] and their labels `[1797]`, in one fixed random order."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    return images[order].astype(np.float32) / 16, labels[order]


def reconstruct(params: Params, x: jax.Array, key: jax.Array) -> tuple[jax.Array, Any, jax.Array]:
    """Encode, sample, decode: the reconstruction, the posterior, the next key."""
    posterior = ENCODER.apply(params["encoder"], x)
    z, key = vae.reparameterize(posterior["mu"], posterior["log_var"], key)
    return DECODER.apply(params["decoder"], z), posterior, key


def loss(params: Params, x: jax.Array, key: jax.Array, beta: float) -> tuple[jax.Array, jax.Array]:
    """Edifice's loss of a batch, and the next key."""
    output, posterior, key = reconstruct(params, x, key)
    return vae.loss(output, x, posterior["mu"], posterior["log_var"], beta=beta), key


@jax.jit
def train_epoch(state: State, batches: jax.Array, beta: float) -> tuple[State, jax.Array]:
    """One pass over `[batches, batch, 64]`, compiled as a whole; the mean loss."""

    def step(state: State, x: jax.Array) -> tuple[State, jax.Array]:
        gradient = jax.value_and_grad(loss, has_aux=True)
        (value, key), gradients = gradient(state.params, x, state.key, beta)
        updates, optimizer = OPTIMIZER.update(gradients, state.optimizer)
        return State(optax.apply_updates(state.params, updates), optimizer, key), value

    state, losses = jax.lax.scan(step, state, batches)
    return state, jnp.mean(losses)


@jax.jit
def evaluate(params: Params, x: jax.Array, beta: float) -> dict[str, jax.Array]:
    """The loss of held-out images and its two terms, always with the same noise."""
    output, posterior, _ = reconstruct(params, x, random.key(0))
    mu, log_var = posterior["mu"], posterior["log_var"]
    return {
        "val_loss": vae.loss(output, x, mu, log_var, beta=beta),
        "val_mse": vae.loss(output, x, mu, log_var, beta=0.0),
        "val_kl": vae.kl_divergence(mu, log_var),
    }


def train(
    epochs: int, beta: float, seed: int, images: np.ndarray, progress: Progress
) -> tuple[Params, list[dict[str, float]]]:
    """Train on the first 1,500 images, watch the others; parameters and a row an epoch."""
    held_out = jnp.asarray(images[TRAIN:])
    params = {"encoder": ENCODER.init(seed), "decoder": DECODER.init(seed)}
    state = State(params, OPTIMIZER.init(params), random.key(seed))
    shuffle = np.random.default_rng(seed)
    task = progress.add_task("", total=epochs)
    rows: list[dict[str, float]] = []
    for epoch in range(epochs + 1):
        row: dict[str, float] = {"epoch": epoch}
        if epoch:  # epoch 0 is the untrained network
            batches = images[shuffle.permutation(TRAIN)].reshape(-1, BATCH, 64)
            state, value = train_epoch(state, jnp.asarray(batches), beta)
            row["train_loss"] = float(value)
        measured = evaluate(state.params, held_out, beta)
        rows.append(row | {name: float(value) for name, value in measured.items()})
        words = "  ".join(f"{k} {v:.4f}" for k, v in rows[-1].items() if k.endswith("loss"))
        progress.update(task, completed=epoch, description=words)
    return state.params, rows


def save(folder: Path, params: Params, rows: Sequence[dict[str, float]]) -> None:
    """Write the metrics, a line an epoch, and the weights under `network/layer/name`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    leaves = jax.tree_util.tree_leaves_with_path(params)
    flat = {jax.tree_util.keystr(path, simple=True, separator="/"): x for path, x in leaves}
    np.savez(folder / "weights.npz", **flat)


def main() -> None:
    """Train, save, draw, and say how it went."""
    parser = argparse.ArgumentParser(description="Train a VAE on scikit-learn's digits.")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--beta", type=float, default=0.005, help="weight of the KL (0.005)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/digits"))
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {options.epochs}")

    images, labels = digits()
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn()) as progress:
        params, rows = train(options.epochs, options.beta, options.seed, images, progress)
    save(options.out, params, rows)

    mu = ENCODER.apply(params["encoder"], images)["mu"]
    draw_latent_space(options.out / "latent_space.png", np.asarray(mu), labels)
    output = DECODER.apply(params["decoder"], mu[TRAIN:])
    draw_reconstructions(options.out / "reconstructions.png", images[TRAIN:], np.asarray(output))
    z, _ = random.normal(random.key(1), (100, LATENT))
    draw_samples(options.out / "samples.png", np.asarray(DECODER.apply(params["decoder"], z)))

    first, last = rows[0]["val_loss"], rows[-1]["val_loss"]
    print(f"validation loss {first:.4f} -> {last:.4f}, KL {rows[-1]['val_kl']:.1f} nats")
    print(f"metrics, weights and pictures are in {options.out}")


if __name__ == "__main__":
    main()
