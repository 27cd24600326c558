"""What the pictures refuse, and what they need."""

import sys
from io import BytesIO

import numpy as np
import pytest

from artifex_compat import pictures
from artifex_compat.generative_models.models.vae import VQVAE
from artifex_compat.pictures import (
    codebook_bars,
    kl_bars,
    latent_scatter,
    loss_curves,
    reconstruction_grid,
    sample_grid,
    traversal_grid,
    visualize_latent_traversals,
)
from tests.artifex_compat.make import LATENT, by_config
from tests.artifex_compat.pictures.given import X, Z, model


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: sample_grid(np.zeros((3, 48))), r"images must be images \[n, .*\[3, 48\]"),
        (lambda: sample_grid(np.zeros((3, 4, 4, 2))), "not .3, 4, 4, 2"),
        (lambda: sample_grid(np.zeros((0, 4, 4))), "not .0, 4, 4"),
        (lambda: sample_grid(np.array(1.0)), r"not \[\]"),
        (lambda: sample_grid(np.array([[[0.0, np.nan]]])), "images must be finite"),
        (lambda: sample_grid(X, columns=0), "columns must be a positive"),
        (lambda: reconstruction_grid(X, X[:3]), "inputs and reconstructions must have the same"),
        (lambda: reconstruction_grid(X, X, count=0), "count must be a positive"),
        (lambda: traversal_grid(X, [1]), r"\[rows, columns, height, width\]"),
        (lambda: traversal_grid(X[None], [1]), "values must be 12, one for each column"),
        (lambda: traversal_grid(X[:, None], [1], dims=[0]), "dims must be 12, one for each row"),
        (lambda: traversal_grid(X[:, None], [1], names=["a"]), "names must be 12"),
        (lambda: latent_scatter(Z[:, :1]), "latents must be"),
        (lambda: latent_scatter(Z, np.arange(3)), r"labels must be \[60\]"),
        (lambda: latent_scatter(Z, np.full(60, np.nan)), "labels must be finite"),
        (lambda: latent_scatter(Z, dims=[0, 4]), "dims must be two numbers of latents"),
        (lambda: kl_bars([]), "kl must be a list of numbers"),
        (lambda: kl_bars([-1.0]), "kl must not be below 0"),
        (lambda: kl_bars([1.0], collapsed=[1]), "collapsed must be numbers of latents"),
        (lambda: codebook_bars([0, 0]), "counts must have a code that is used"),
        (lambda: loss_curves([]), "and has nothing"),
        (lambda: loss_curves([{"epoch": 0, "step": 1}]), "and has epoch, step"),
        (
            lambda: visualize_latent_traversals(model((3,)), np.zeros(12), 0),
            "what the model decodes",
        ),
        (lambda: visualize_latent_traversals(model(), np.zeros(12), 12), "from 0 to 11, not 12"),
        (
            lambda: visualize_latent_traversals(by_config(VQVAE), np.zeros(LATENT), 0),
            "which a VQVAE has not",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as raised:
        call()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", pictures.__all__)
def test_without_matplotlib_a_call_names_the_extra(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf"{name}\(\) needs matplotlib.*evaluate"):
        getattr(pictures, name)()


def test_a_picture_needs_no_pyplot(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    kl_bars([1.0]).savefig(BytesIO(), dpi=20)
