"""Pictures of a VAE of 8x8 images, as PNG files."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def draw_reconstructions(file: Path, images: np.ndarray, reconstructions: np.ndarray) -> None:
    """Sixteen images `[n, 64]` over their reconstructions."""
    rows = [_strip(images[:16]), _strip(reconstructions[:16])]
    figure, axes = plt.subplots(2, 1, figsize=(10, 1.7), layout="constrained")
    for axis, row, label in zip(axes, rows, ("image", "reconstruction"), strict=True):
        _show(axis, row)
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    _save(figure, file)


def draw_samples(file: Path, samples: np.ndarray) -> None:
    """A hundred decoded draws from the prior, `[100, 64]`, in ten rows."""
    figure, axis = plt.subplots(figsize=(5, 5.2), layout="constrained")
    _show(axis, np.concatenate([_strip(row) for row in samples.reshape(10, 10, 64)]))
    axis.set_title("Decoded draws from the prior")
    _save(figure, file)


def draw_latent_space(file: Path, means: np.ndarray, labels: np.ndarray) -> None:
    """Posterior means `[n, latent]` on their first two principal axes, coloured by digit."""
    centred = means - means.mean(axis=0)
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    share = scales**2 / np.sum(scales**2)
    x, y = (centred @ axes[:2].T).T
    figure, axis = plt.subplots(figsize=(7, 6), layout="constrained")
    points = axis.scatter(x, y, c=labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=9, alpha=0.8)
    figure.colorbar(points, ticks=range(10), label="digit")
    axis.set_xlabel(f"first principal axis of the posterior means ({share[0]:.0%} of variance)")
    axis.set_ylabel(f"second ({share[1]:.0%})")
    axis.set_title("Latent space")
    _save(figure, file)


def _strip(images: np.ndarray) -> np.ndarray:
    """Images `[n, 64]` side by side, a pixel apart."""
    tiles = np.pad(images.reshape(-1, 8, 8), ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    return np.concatenate(list(tiles), axis=1)


def _show(axis: Axes, pixels: np.ndarray) -> None:
    axis.imshow(pixels, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axis.set(xticks=[], yticks=[], frame_on=False)


def _save(figure: Figure, file: Path) -> None:
    figure.savefig(file, dpi=110)
    plt.close(figure)
