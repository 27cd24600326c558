"""Sprites: the grid of dSprites, drawn when asked for, always the same."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifex_compat.data import Sprites

FULL = Sprites()
SMALL = Sprites(size=16, scales=2, orientations=4, positions=3)


def image(*factors, of=FULL):
    return of.images(np.array([factors]))[0, ..., 0]


def test_the_grid_is_that_of_dsprites():
    assert len(FULL) == 737_280
    assert FULL.factor_names == ("shape", "scale", "orientation", "x", "y")
    assert FULL.factor_sizes == (3, 6, 40, 32, 32)
    # dSprites' own order: the shape is slowest, y fastest.
    bases = np.array([245_760, 40_960, 1024, 32, 1])
    factors = np.array([[2, 5, 39, 31, 31], [1, 0, 7, 3, 9]])
    np.testing.assert_array_equal(FULL.indices_of(factors), factors @ bases)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(FULL) - 1), min_size=1, max_size=20))
def test_indices_and_factors_are_inverse(indices):
    factors = FULL.factors_of(np.array(indices))
    assert factors.dtype == np.int32
    assert (factors >= 0).all()
    assert (factors < FULL.factor_sizes).all()
    np.testing.assert_array_equal(FULL.indices_of(factors), indices)


def test_what_factors_mean():
    low, high = FULL.values_of(np.array([[0, 0, 0, 0, 0], [2, 5, 39, 31, 31]]))
    assert low.tolist() == [0, 0.5, 0, 33 / 128, 33 / 128]
    assert high == pytest.approx([2, 1, 2 * np.pi * 39 / 40, 95 / 128, 95 / 128])
    one = Sprites(scales=1, positions=1).values_of(np.array([[0, 0, 0, 0, 0]]))
    assert one[0].tolist() == [0, 0.75, 0, 0.5, 0.5]


def test_images_are_white_on_black_and_within_the_frame():
    x = FULL.sample(300, seed=3).x
    assert x.shape == (300, 64, 64, 1)
    assert x.dtype == np.float32
    assert set(np.unique(x)) == {0, 1}
    frame = np.ones((64, 64), bool)
    frame[2:-2, 2:-2] = False
    assert x[:, frame].sum() == 0
    assert (x.sum(axis=(1, 2, 3)) > 60).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2), st.integers(0, 5), st.integers(0, 39), st.integers(0, 30))
def test_a_step_of_position_is_a_pixel(shape, scale, orientation, place):
    here = image(shape, scale, orientation, place, 4)
    np.testing.assert_array_equal(
        image(shape, scale, orientation, place + 1, 4), np.roll(here, 1, axis=1)
    )
    down = image(shape, scale, orientation, 4, place)
    np.testing.assert_array_equal(
        image(shape, scale, orientation, 4, place + 1), np.roll(down, 1, axis=0)
    )


def test_orientation_turns_clockwise_and_has_the_symmetry_of_its_shape():
    for shape, name in enumerate(FULL.shapes):
        quarter = [image(shape, 5, turn, 15, 15, of=Sprites(positions=31)) for turn in (0, 10, 20)]
        np.testing.assert_array_equal(quarter[1], np.rot90(quarter[0], -1), err_msg=name)
        assert np.array_equal(quarter[0], quarter[1]) == (name == "square")
        assert np.array_equal(quarter[0], quarter[2]) == (name != "heart")


def test_scale_is_the_root_of_the_area():
    large = Sprites(size=400)
    for shape in range(3):
        areas = np.array([image(shape, scale, 3, 15, 15, of=large).sum() for scale in range(6)])
        np.testing.assert_allclose(np.sqrt(areas / areas[-1]), np.linspace(0.5, 1, 6), atol=0.003)


def test_other_factors_give_other_images_but_for_symmetries():
    hearts = Sprites(shapes=("heart",), scales=6, orientations=10, positions=4)
    x = hearts.images(hearts.factors_of(np.arange(len(hearts))))
    assert len({row.tobytes() for row in x}) == len(hearts)


def test_the_images_are_these():
    x = FULL.examples(np.arange(0, len(FULL), 1009)).x.astype(np.uint8)
    digest = hashlib.sha256(np.packbits(x)).hexdigest()
    assert digest == "a44d3879c63a7aa89943307194724f65313d0a24eda860af9edd3391e6d711b2"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, len(SMALL) - 1), min_size=1, max_size=70))
def test_an_image_does_not_depend_on_the_others(indices):
    whole = SMALL.examples(np.arange(len(SMALL)))
    some = SMALL.examples(np.array(indices))
    np.testing.assert_array_equal(some.x, whole.x[indices])
    np.testing.assert_array_equal(some.factors, whole.factors[indices])


def test_a_sample_is_named_by_its_seed_and_has_no_image_twice():
    every = SMALL.sample(len(SMALL), seed=1)
    assert len({tuple(row) for row in every.factors}) == len(SMALL)
    again, other = SMALL.sample(20, seed=1), SMALL.sample(20, seed=2)
    np.testing.assert_array_equal(SMALL.sample(20, seed=1).x, again.x)
    assert not np.array_equal(again.factors, other.factors)
    assert every.factor_names == SMALL.factor_names


def test_it_is_a_source_for_a_loader():
    example = SMALL[17]
    np.testing.assert_array_equal(example["labels"], SMALL.factors_of([17])[0])
    assert example["image"].shape == (16, 16, 1)
    with pytest.raises(IndexError, match=r"index must be from 0 to 215, not 216\."):
        SMALL[216]


def test_batches_are_the_same_every_epoch():
    batches = SMALL.batches(5, count=3, seed=4)
    assert len(batches) == 3
    first, second = list(batches), list(batches)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a["image"], b["image"])
        np.testing.assert_array_equal(a["image"], SMALL.images(a["labels"]))
    assert not np.array_equal(first[0]["labels"], first[1]["labels"])
    (many,) = SMALL.batches(1000, count=1)
    assert len(np.unique(SMALL.indices_of(many["labels"]))) > 200


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Sprites(size=0), "size must be a positive integer"),
        (lambda: Sprites(shapes=("hart",)), "did you mean 'heart'"),
        (lambda: Sprites(shapes=()), "at least one"),
        (lambda: Sprites(shapes=("heart", "heart")), "must be different ones"),
        (lambda: FULL.images([[0, 0, 40, 0, 0]]), "the factor orientation must be from 0 to 39"),
        (lambda: FULL.images([[0, -1, 0, 0, 0]]), "the factor scale must be from 0 to 5"),
        (lambda: FULL.images([[0, 0, 0]]), "for shape, scale, orientation, x, y"),
        (lambda: FULL.images([0, 0, 0, 0, 0]), r"factors must be integers \[n, 5\]"),
        (lambda: FULL.factors_of([0.5]), r"indices must be integers \[n\]"),
        (lambda: FULL.factors_of([-1]), "indices must be from 0 to 737279"),
        (lambda: FULL.factors_of([]), "at least one"),
        (lambda: SMALL.sample(217), "count must be at most the 216 images, not 217"),
        (lambda: SMALL.batches(0, 1), "batch_size must be a positive integer"),
    ],
)
def test_what_is_not_on_the_grid(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
