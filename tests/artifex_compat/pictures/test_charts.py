"""Points, bars and curves are the numbers that are given."""

import matplotlib
import numpy as np

from artifex_compat.pictures import codebook_bars, kl_bars, latent_scatter, loss_curves
from tests.artifex_compat.pictures.drawn import words
from tests.artifex_compat.pictures.given import Z, history


def test_points_are_the_two_latents_of_the_largest_variance():
    figure = latent_scatter(Z)
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), Z[:, [1, 2]])
    assert axes.get_xlabel().startswith("z1, variance ")
    assert axes.get_ylabel().startswith("z2, variance ")
    chosen = latent_scatter(Z, dims=(3, 0)).axes[0]
    np.testing.assert_array_equal(chosen.collections[0].get_offsets(), Z[:, [3, 0]])


def test_few_labels_are_classes_and_many_a_scale():
    classes = np.array([7, 3, 5] * 20)
    figure = latent_scatter(Z, classes[:, None])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["3", "5", "7"]
    colours = figure.axes[0].collections[0].get_facecolors()[:, :3]
    handles = [matplotlib.colors.to_rgb(dot.get_color()) for dot in legend.legend_handles]
    for label, colour in zip(classes, colours, strict=True):
        np.testing.assert_allclose(colour, handles[(label - 3) // 2])
    scaled = latent_scatter(Z, np.arange(60))
    assert not scaled.legends
    assert scaled.axes[1].get_ylabel() == "label"
    np.testing.assert_array_equal(scaled.axes[0].collections[0].get_array(), np.arange(60))


def test_bars_are_the_kl_in_the_order_of_the_latents():
    figure = kl_bars((0.5, 0.001, 2.0), collapsed=(1,))
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.5, 0.001, 2.0]
    (marks,) = axes.lines
    np.testing.assert_array_equal(marks.get_xydata(), [[1, 0.001]])
    assert "collapsed" in words(figure)
    assert "KL 2.5 nats, 1 of 3 latents collapsed" in words(figure)
    assert not kl_bars([1.0]).axes[0].lines
    (stairs,) = kl_bars(np.arange(100.0)).axes[0].patches
    np.testing.assert_array_equal(stairs.get_data().values, np.arange(100.0))


def test_codes_are_sorted_and_the_dead_are_counted():
    (axes,) = codebook_bars((0, 6, 2, 0)).axes
    assert [bar.get_height() for bar in axes.patches] == [6, 2, 0, 0]
    assert axes.get_title(loc="left") == "perplexity 1.8 of 4 codes, 2 dead"
    assert set(axes.lines[0].get_ydata()) == {2}


def lines(axes):
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines}


def test_curves_are_the_rows_of_the_history():
    rows = history(4, kl_weight=0.5)
    loss, kl, weight = loss_curves(rows).axes
    of = {name: [row[name] for row in rows] for name in rows[0]}
    assert lines(loss) == {
        "loss": of["loss"],
        "loss, validation": of["val_loss"],
        "reconstruction": of["recon_loss"],
        "reconstruction, validation": of["val_recon_loss"],
    }
    assert lines(kl) == {"KL": of["kl_loss"], "KL, validation": of["val_kl_loss"]}
    assert lines(weight) == {"KL weight": of["kl_weight"]}
    assert list(loss.lines[0].get_xdata()) == [0, 1, 2, 3]
    assert [text.get_text() for text in kl.get_legend().get_texts()] == [
        "KL",
        "KL weight",
        "validation",
    ]


def test_the_capacity_is_on_the_scale_of_the_kl():
    _, kl = loss_curves(history(3, current_capacity=9.0)).axes
    assert lines(kl)["capacity"] == [9.0, 4.5, 3.0]


def test_there_is_no_panel_for_what_is_not_there():
    (only,) = loss_curves([{"epoch": 0, "loss": 1.0}, {"epoch": 1, "loss": 0.5}]).axes
    assert lines(only) == {"loss": [1.0, 0.5]}
    assert only.get_yscale() == "linear"
    rows = [{"epoch": 0, "loss": 1.0, "vq_loss": 0.3, "perplexity": 9.0}]
    assert [axes.get_title(loc="left") for axes in loss_curves(rows).axes] == [
        "Loss",
        "Codebook",
        "",
    ]


def test_a_metric_that_some_rows_lack_has_a_point_for_each_that_has_it():
    rows = [{"epoch": 0, "loss": 2.0}, {"epoch": 1, "loss": 1.0, "val_loss": 1.5}]
    (axes,) = loss_curves(rows).axes
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[1, 1.5]])


def test_a_loss_far_above_the_reconstruction_does_not_hide_it():
    assert loss_curves(history(3, loss=9000.0)).axes[0].get_yscale() == "log"
