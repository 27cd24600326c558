"""Conditions: labels, rows and embeddings, on every kind of network, in both styles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.models.vae import (
    ConditionalDecoder,
    ConditionalEncoder,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
)
from tests.artifex_compat.make import IMAGE, by_config, by_parts, images, parts

LABELS = jnp.array([2, 0, 1])


@pytest.mark.parametrize(
    ("kind", "condition_type", "embed_dim"),
    [
        ("dense", "concat", None),
        ("dense", "concat", 5),
        ("dense", "add", None),
        ("dense", "add", 5),
        ("cnn", "concat", None),
        ("cnn", "add", 5),
        ("resnet", "concat", None),
    ],
)
def test_the_condition_reaches_encoder_and_decoder(kind, condition_type, embed_dim):
    model = by_config(
        ConditionalVAE,
        encoder_type=kind,
        num_classes=3,
        condition_type=condition_type,
        embed_dim=embed_dim,
    )
    same = jnp.broadcast_to(images(1), (3, *IMAGE))
    means, _ = model.encode(same, LABELS)
    decoded = model.decode(jnp.zeros((3, 4)), LABELS)
    for rows in (means, decoded):
        assert not jnp.array_equal(rows[0], rows[1])
        assert not jnp.array_equal(rows[1], rows[2])
    model(images(), LABELS)
    assert model.sample(4, y=jnp.array([1])).shape == (4, *IMAGE)
    assert model.interpolate(images()[0], images()[1], y=2, steps=5).shape == (5, *IMAGE)
    assert model.latent_traversal(images()[0], 0, y=2, steps=5).shape == (5, *IMAGE)


@pytest.mark.parametrize("embed_dim", [None, 5])
def test_labels_and_their_one_hot_rows_are_the_same(embed_dim):
    model = by_config(ConditionalVAE, num_classes=3, embed_dim=embed_dim)
    by_label = model.encode(images(), LABELS)[0]
    by_row = model.encode(images(), jax.nn.one_hot(LABELS, 3))[0]
    np.testing.assert_array_equal(by_label, by_row)


def test_no_condition_is_a_row_of_zeros():
    model = by_config(ConditionalVAE, num_classes=3)
    without = model.encode(images())[0]
    np.testing.assert_array_equal(without, model.encode(images(), jnp.zeros((3, 3)))[0])
    assert not jnp.array_equal(without, model.encode(images(), LABELS)[0])


def test_one_hot_is_put_beside_the_input_exactly():
    base = MLPEncoder([7], 4, input_dim=9, rngs=nnx.Rngs(0))
    wrapped = ConditionalEncoder(base, num_classes=3, rngs=nnx.Rngs(1))
    x = images(3, (6,))
    wrapped.adapt((6,))
    wanted = base(jnp.concatenate([x, jax.nn.one_hot(LABELS, 3)], axis=1))
    np.testing.assert_array_equal(wrapped(x, LABELS)[0], wanted[0])
    assert base.backbone.layers[0].in_features == 9


def test_a_base_network_gets_room_and_keeps_its_weights():
    base = MLPEncoder([7], 4, input_dim=6, rngs=nnx.Rngs(0))
    kernel = base.backbone.layers[0].kernel[...]
    wrapped = ConditionalEncoder(base, num_classes=3, rngs=nnx.Rngs(1))
    x = images(3, (6,))
    without = base(x)[0]
    np.testing.assert_allclose(wrapped(x, None)[0], without, rtol=1e-5)
    np.testing.assert_array_equal(base.backbone.layers[0].kernel[...][:6], kernel)
    assert base.backbone.layers[0].in_features == 9


def test_the_example_of_the_document():
    rngs = nnx.Rngs(params=0, dropout=1, sample=2)
    model = ConditionalVAE(
        encoder=ConditionalEncoder(
            encoder=MLPEncoder(hidden_dims=[8], latent_dim=3, rngs=rngs),
            num_classes=10,
            embed_dim=6,
            rngs=rngs,
        ),
        decoder=ConditionalDecoder(
            decoder=MLPDecoder(hidden_dims=[8], output_dim=(12,), latent_dim=3, rngs=rngs),
            num_classes=10,
            embed_dim=6,
            rngs=rngs,
        ),
        latent_dim=3,
        condition_dim=10,
        rngs=rngs,
    )
    outputs = model(images(3, (12,)), y=LABELS, rngs=rngs)
    assert outputs["reconstruction"].shape == (3, 12)
    assert model.encoder.embedding.embedding.shape == (10, 6)


def test_room_is_made_before_an_optimizer_sees_the_model():
    model = by_parts(ConditionalVAE, num_classes=3)
    before = nnx.graphdef(model)
    model(images(3, (48,)), LABELS)
    assert nnx.graphdef(model) == before


@pytest.mark.parametrize("style", [by_config, by_parts])
@pytest.mark.parametrize("label", [-1, 3, 7])
def test_a_label_out_of_range_is_refused_with_the_nearest(style, label):
    model = style(ConditionalVAE, num_classes=3)
    x = images() if style is by_config else images(3, (48,))
    nearest = 0 if label < 0 else 2
    with pytest.raises(ValueError, match=f"from 0 to 2, not {label}; the nearest is {nearest}"):
        model(x, jnp.array([0, 1, label]))


def test_a_traced_label_out_of_range_is_a_row_of_zeros():
    model = by_config(ConditionalVAE, num_classes=3)
    encode = nnx.jit(lambda model, x, y: model.encode(x, y)[0])
    zeros = encode(model, images(), jnp.zeros((3, 3)))
    np.testing.assert_array_equal(encode(model, images(), jnp.array([3, -1, 9])), zeros)


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        (jnp.array([0, 1]), ValueError, r"y must be labels of shape \[3\]"),
        (jnp.ones((3, 4)), ValueError, r"rows of shape \[3, 3\], not an array of \[3, 4\]"),
        (jnp.ones(3), TypeError, "y must hold integer labels"),
        ("cat", TypeError, "y must"),
    ],
)
def test_what_no_condition_can_be(y, error, words):
    with pytest.raises(error, match=words):
        by_config(ConditionalVAE, num_classes=3)(images(), y)


def test_a_wrapped_network_with_another_condition_is_refused():
    p = parts()
    wrapped = ConditionalEncoder(p["encoder"], num_classes=3, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="condition_dim must be that of the encoder, 3, not 5"):
        ConditionalVAE(wrapped, p["decoder"], 4, condition_dim=5, rngs=nnx.Rngs(0))


def test_condition_dim_may_be_wider_than_the_classes():
    model = by_config(ConditionalVAE, num_classes=3, condition_dim=8)
    assert model(images(), LABELS)["z"].shape == (3, 4)
    with pytest.raises(ValueError, match="labels from 0 to 7, not 8"):
        model(images(), jnp.array([0, 1, 8]))


def test_factors_beside_labels_are_no_labels_of_a_loss():
    model = by_config(ConditionalVAE, num_classes=3)
    batch = {"image": images(), "y": jnp.array([0, 1, 2]), "labels": jnp.array([7, 8, 9])}
    assert jnp.isfinite(model.loss_fn(batch=batch)["loss"])
    for wrong in ({**batch, "y": jnp.array([0, 1, 3])}, {"image": images(), "label": [3, 0, 0]}):
        with pytest.raises(ValueError, match="from 0 to 2, not 3"):
            model.loss_fn(batch=wrong)
