"""What a model learned, as pictures: figures of matplotlib, all of one style."""

from artifex_compat.pictures.bars import codebook_bars, kl_bars
from artifex_compat.pictures.curves import loss_curves
from artifex_compat.pictures.reconstructions import reconstruction_grid
from artifex_compat.pictures.samples import sample_grid
from artifex_compat.pictures.scatter import latent_scatter
from artifex_compat.pictures.walks import (
    interpolation_strips,
    traversal_grid,
    visualize_latent_traversals,
)

__all__ = [
    "codebook_bars",
    "interpolation_strips",
    "kl_bars",
    "latent_scatter",
    "loss_curves",
    "reconstruction_grid",
    "sample_grid",
    "traversal_grid",
    "visualize_latent_traversals",
]
