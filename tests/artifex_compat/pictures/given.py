"""What the pictures are of."""

import numpy as np
from flax import nnx

from artifex_compat.generative_models.models.vae import VAE

RANDOM = np.random.default_rng(0)
X = RANDOM.random((12, 5, 5)).astype(np.float32)
RGB = RANDOM.random((3, 5, 4, 3)).astype(np.float32)
Z = RANDOM.normal(size=(60, 4)) * [0.1, 2, 1, 0.5]


def history(epochs, **others):
    """Rows like a trainer's."""
    values = {"loss": 30.0, "recon_loss": 25.0, "val_loss": 31.0, "val_recon_loss": 26.0}
    terms = values | {"kl_loss": 5.0, "val_kl_loss": 5.2} | others
    return [
        {"epoch": epoch, "step": 10 * epoch} | {k: v / (1 + epoch) for k, v in terms.items()}
        for epoch in range(epochs)
    ]


def model(shape=(2, 2)):
    """A decoder that gives the first of 12 latents as they are."""
    size = int(np.prod(shape))
    return VAE(
        encoder=lambda x: (x, x),
        decoder=lambda z: z[:, :size].reshape(-1, *shape),
        latent_dim=12,
        rngs=nnx.Rngs(0),
    )
