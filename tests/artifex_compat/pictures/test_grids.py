"""Grids show the images that are given, in their places."""

import jax.numpy as jnp
import numpy as np
import pytest

from artifex_compat.pictures import (
    interpolation_strips,
    reconstruction_grid,
    sample_grid,
    traversal_grid,
    visualize_latent_traversals,
)
from tests.artifex_compat.pictures.drawn import words
from tests.artifex_compat.pictures.given import RANDOM, RGB, X, model


def shown(figure):
    """The arrays of a grid, by row and column."""
    images = figure.axes[0].images
    lefts = sorted({image.get_extent()[0] for image in images})
    tops = sorted({image.get_extent()[3] for image in images})
    return {
        (tops.index(i.get_extent()[3]), lefts.index(i.get_extent()[0])): i.get_array()
        for i in images
    }


@pytest.mark.parametrize(
    "images", [X, X[..., None], X.reshape(12, 25), jnp.asarray(X)], ids=["HW", "HW1", "flat", "jax"]
)
def test_a_grid_shows_the_images_in_their_order(images):
    found = shown(sample_grid(images, columns=5))
    assert len(found) == 12
    for (row, column), array in found.items():
        np.testing.assert_array_equal(array, X[5 * row + column])


def test_colours_stay_and_numbers_out_of_range_become_the_nearest():
    found = shown(sample_grid(RGB * 4 - 2))
    np.testing.assert_array_equal(found[0, 0], np.clip(RGB[0] * 4 - 2, 0, 1))
    image = sample_grid(X).axes[0].images[0]
    assert image.get_clim() == (0, 1)
    assert image.get_cmap().name == "gray"
    assert image.get_interpolation() == "nearest"


def test_an_image_is_as_high_as_its_shape_says():
    (image, *_), axes = (found := sample_grid(RGB).axes[0]).images, found
    left, right, bottom, top = image.get_extent()
    assert (bottom - top) / (right - left) == pytest.approx(5 / 4)
    figure = axes.figure
    figure.draw_without_rendering()
    box = axes.get_window_extent()
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    assert box.width / (x1 - x0) == pytest.approx(box.height / (y0 - y1), rel=1e-3)


def test_inputs_stand_over_their_reconstructions():
    figure = reconstruction_grid(X.reshape(12, 25), X[::-1, ..., None], count=4)
    found = shown(figure)
    assert sorted(found) == [(row, column) for row in range(2) for column in range(4)]
    for column in range(4):
        np.testing.assert_array_equal(found[0, column], X[column])
        np.testing.assert_array_equal(found[1, column], X[::-1][column])
    assert words(figure) == ["input", "output"]


def test_a_traversal_has_a_row_for_each_latent_and_a_column_for_each_value():
    images = X.reshape(3, 4, 5, 5)
    figure = traversal_grid(images, [-1, -0.25, -0.21, 2], dims=[7, 0, 3])
    found = shown(figure)
    for row in range(3):
        for column in range(4):
            np.testing.assert_array_equal(found[row, column], images[row, column])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "-1.00",
        "-0.25",
        "-0.21",
        "2.00",
    ]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["z7", "z0", "z3"]
    named = traversal_grid(images, [0, 1, 2, 3], names=["a", "b", "c"]).axes[0]
    assert [text.get_text() for text in named.get_yticklabels()] == ["a", "b", "c"]


def test_strips_have_a_row_for_each_pair():
    found = shown(interpolation_strips(X.reshape(3, 4, 5, 5)))
    np.testing.assert_array_equal(found[2, 1], X[9])


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 1), (4,), (1, 2, 3)])
def test_the_documented_call(shape):
    z_base = jnp.array(RANDOM.random(12), jnp.float32)
    figure = visualize_latent_traversals(model(shape), z_base, 2)
    assert len(figure.axes) == 11
    for axes, value in zip(figure.axes, np.linspace(-3, 3, 11), strict=True):
        expected = np.array(z_base)
        expected[2] = value
        size = int(np.prod(shape))
        shown = np.clip(expected[:size], 0, 1)
        np.testing.assert_allclose(np.ravel(axes.images[0].get_array()), shown, atol=1e-6)
        assert axes.get_title() == f"z[2]={value:.1f}"
    assert figure.get_suptitle() == "Latent Dimension 2 Traversal"
    fewer = visualize_latent_traversals(model(shape), np.asarray(z_base), 2, [0.0, 1.0])
    assert [axes.get_title() for axes in fewer.axes] == ["z[2]=0.0", "z[2]=1.0"]
