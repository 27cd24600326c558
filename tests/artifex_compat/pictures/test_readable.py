"""The texts of every picture can be read, few numbers or many, and the style is always the same."""

import matplotlib
import numpy as np
import pytest

from artifex_compat.pictures import (
    codebook_bars,
    interpolation_strips,
    kl_bars,
    latent_scatter,
    loss_curves,
    reconstruction_grid,
    sample_grid,
    traversal_grid,
    visualize_latent_traversals,
)
from tests.artifex_compat.pictures.drawn import check_texts
from tests.artifex_compat.pictures.given import RANDOM, X, Z, history, model

VQ = {"kl_loss": 0.0, "vq_loss": 0.4, "val_vq_loss": 0.3, "perplexity": 40.0}
FIGURES = {
    "reconstructions": lambda: reconstruction_grid(X, X[::-1]),
    "one reconstruction": lambda: reconstruction_grid(X[:1], X[:1]),
    "samples": lambda: sample_grid(X),
    "one sample": lambda: sample_grid(X[:1]),
    "2 latents": lambda: traversal_grid(X[:6].reshape(2, 3, 5, 5), [-3, 0, 3]),
    "32 latents": lambda: traversal_grid(
        np.zeros((32, 11, 4, 4)),
        np.linspace(-3, 3, 11),
        names=[f"z{i}, 10.5 nats" for i in range(32)],
    ),
    "many values": lambda: traversal_grid(np.zeros((2, 41, 4, 4)), np.linspace(-10, 10, 41)),
    "low images": lambda: traversal_grid(np.zeros((9, 11, 2, 20)), np.linspace(-3, 3, 11)),
    "strips": lambda: interpolation_strips(X.reshape(3, 4, 5, 5)),
    "classes": lambda: latent_scatter(Z, np.arange(60) % 10),
    "numbers": lambda: latent_scatter(1000 * Z, Z[:, 0]),
    "no labels": lambda: latent_scatter(Z[:, :2]),
    **{
        f"{n} bars": lambda n=n: kl_bars(RANDOM.random(n), collapsed=range(n))
        for n in (1, 2, 20, 32)
    },
    "500 bars": lambda: kl_bars(np.zeros(500)),
    **{f"{n} codes": lambda n=n: codebook_bars(10**6 * np.arange(n)) for n in (2, 16, 64, 1024)},
    **{f"{n} epochs": lambda n=n: loss_curves(history(n, kl_weight=0.1)) for n in (1, 2, 10, 500)},
    "capacity": lambda: loss_curves(history(9, loss=9000.0, current_capacity=25.0)),
    "codebook": lambda: loss_curves(history(9, **VQ)),
    "one latent": lambda: visualize_latent_traversals(model(), np.zeros(12, np.float32), 10),
}


@pytest.mark.parametrize("name", FIGURES)
def test_texts_can_be_read(name):
    before = dict(matplotlib.rcParams)
    figure = FIGURES[name]()
    assert dict(matplotlib.rcParams) == before
    assert figure.get_figwidth() <= 8
    check_texts(figure)


def test_the_style_is_not_the_users():
    figure = kl_bars([1.0, 2.0])
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        other = kl_bars([1.0, 2.0])
    for found in (figure, other):
        (axes,) = found.axes
        assert axes.get_facecolor() == (1, 1, 1, 1)
        assert axes.xaxis.label.get_fontsize() == 10
        check_texts(found)
        assert {label.get_fontsize() for label in axes.get_xticklabels()} == {9}
