"""The four workloads whose training is measured."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from flax import nnx

from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    CNNDecoder,
    CNNEncoder,
    MLPDecoder,
    MLPEncoder,
)


@dataclass(frozen=True)
class Workload:
    """A model and its data.

    Attributes:
        shape: of an example.
        hidden: widths of the encoder's layers; the decoder's are the same, reversed.
        latent: width of the latent vector.
        batch: examples in a batch.
        steps: batches in an epoch.
        codes: in the codebook; 0 for a VAE.
    """

    shape: tuple[int, ...]
    hidden: tuple[int, ...]
    latent: int
    batch: int
    steps: int
    codes: int = 0

    def model(self) -> nnx.Module:
        """The model, fresh."""
        rngs = nnx.Rngs(0)
        hidden, back = list(self.hidden), list(self.hidden[::-1])
        encoders, decoders = (
            (MLPEncoder, MLPDecoder) if len(self.shape) == 1 else (CNNEncoder, CNNDecoder)
        )
        size = self.shape[0] if len(self.shape) == 1 else self.shape
        encoder = encoders(hidden, self.latent, input_dim=size, rngs=rngs)
        decoder = decoders(back, size, self.latent, rngs=rngs)
        if self.codes:
            return VQVAE(encoder, decoder, self.latent, self.codes, self.latent, rngs=rngs)
        return VAE(encoder, decoder, self.latent, rngs=rngs)

    def params(self) -> Any:
        """The same parameters, as nested dictionaries."""
        params = nnx.to_pure_dict(nnx.state(self.model(), nnx.Param))
        if self.codes:
            params["codebook"] = params.pop("embeddings")["embedding"]
        return params

    def data(self) -> np.ndarray:
        """An epoch of examples, `[steps * batch, *shape]`, from 0 to 1."""
        examples = self.steps * self.batch
        return np.random.default_rng(0).random((examples, *self.shape), dtype=np.float32)


WORKLOADS = {
    "W1": Workload((64,), (64,), 8, 64, 1024),
    "W2": Workload((784,), (256, 128), 32, 128, 64),
    "W3": Workload((64, 64, 3), (32, 64, 128, 256), 64, 32, 4),
    "W4": Workload((784,), (512, 256), 64, 32, 128, codes=512),
}
