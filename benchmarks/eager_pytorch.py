"""The convolutional workload in PyTorch's eager mode: the other side of `benchmarks/training.py`.

It runs in an environment that has torch, and imports nothing of ours.
"""

import time
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import relu

from interleaved import serve

CHANNELS, LATENT, BATCH, STEPS = (3, 32, 64, 128, 256), 64, 32, 4


class VAE(nn.Module):  # type: ignore[misc] # torch is not installed where types are checked
    """3 x 3 convolutions of stride 2, and back."""

    def __init__(self) -> None:
        super().__init__()
        last = CHANNELS[-1]
        widths = list(pairwise(CHANNELS))
        self.encoder = nn.ModuleList([nn.Conv2d(a, b, 3, 2, 1) for a, b in widths])
        self.mean, self.log_var = nn.Linear(16 * last, LATENT), nn.Linear(16 * last, LATENT)
        self.project = nn.Linear(LATENT, 16 * last)
        widths = [(last, last), *((b, a) for a, b in reversed(widths[1:]))]
        self.decoder = nn.ModuleList([nn.ConvTranspose2d(a, b, 3, 2, 1, 1) for a, b in widths])
        self.output = nn.Conv2d(CHANNELS[1], CHANNELS[0], 3, 1, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Reconstruction, mean and log-variance."""
        for layer in self.encoder:
            x = relu(layer(x))
        h = x.flatten(1)
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var.clamp(-20, 20)) * torch.randn_like(mean)
        h = self.project(z).view(-1, CHANNELS[-1], 4, 4)
        for layer in self.decoder:
            h = relu(layer(h))
        return torch.sigmoid(self.output(h)), mean, log_var


def main() -> None:
    """Be one side of a comparison."""
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    x = torch.rand(BATCH, 3, 64, 64)

    def seconds() -> float:
        began = time.perf_counter()
        for _ in range(STEPS):
            optimizer.zero_grad()
            output, mean, log_var = model(x)
            error = ((output - x) ** 2).sum((1, 2, 3)).mean()
            kl = (-0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1)).mean()
            (error + kl).backward()
            optimizer.step()
        return time.perf_counter() - began

    seconds()  # chooses its ways
    serve(seconds)


if __name__ == "__main__":
    main()
