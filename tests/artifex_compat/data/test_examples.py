"""Examples, digits, and what is refused before training."""

import sys

import numpy as np
import pytest

from artifex_compat.data import DataError, Examples, check_examples, digits

X = np.random.default_rng(0).random((10, 4, 4, 1), dtype=np.float32)


def test_digits_are_scikit_learns():
    found = digits()
    assert found.x.shape == (1797, 8, 8, 1)
    assert found.x.dtype == np.float32
    assert (found.x.min(), found.x.max()) == (0, 1)
    assert found.factor_names == ("digit",)
    assert np.bincount(found.factors[:, 0]).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip
    check_examples(found.x, loss_type="bce", input_shape=(8, 8, 1))


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"^digits\(\) needs scikit-learn: .*\[evaluate\]'\.$"):
        digits()


def test_a_split_keeps_every_example_once_with_its_factors():
    examples = Examples(X, np.arange(20).reshape(10, 2))
    train, held_out = examples.split(0.3, seed=1)
    assert (len(train), len(held_out)) == (7, 3)
    assert train.factor_names == ("factor 0", "factor 1")
    rows = np.concatenate([train.factors, held_out.factors])[:, 0] // 2
    assert sorted(rows) == list(range(10))
    np.testing.assert_array_equal(np.concatenate([train.x, held_out.x]), X[rows])
    np.testing.assert_array_equal(examples.split(0.3, seed=1)[1].x, held_out.x)
    assert not np.array_equal(examples.split(0.3, seed=2)[1].x, held_out.x)


def test_a_batch_has_the_documented_keys():
    assert set(Examples(X).as_batch()) == {"image"}
    assert set(Examples(X, np.zeros((10, 1))).as_batch()) == {"image", "labels"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((X, np.zeros((9, 2))), r"factors must be \[10, factors\].*not \[9, 2\]"),
        ((X, np.zeros(10)), r"factors must be \[10, factors\].*not \[10\]"),
        ((X, np.zeros((10, 2)), ("a",)), "factor_names must be 2 names.*not 1"),
    ],
)
def test_factors_that_do_not_fit(arguments, words):
    with pytest.raises(DataError, match=words):
        Examples(*arguments)


@pytest.mark.parametrize("share", [0.0, 1.0, 0.01, -1])
def test_a_split_leaves_both_parts_something(share):
    with pytest.raises(ValueError, match="held_out must leave some of the 10 examples"):
        Examples(X).split(share)


def broken(value):
    x = X.copy()
    x[4, 1, 2, 0] = x[6, 0, 0, 0] = value
    return x


REFUSED = {
    "NaN": (broken(np.nan), {}, "2 of 10 examples are not, the first of them number 4"),
    "infinite": (broken(-np.inf), {}, "must be finite, and 2 of 10 examples"),
    "above 1": (
        255 * X,
        {"loss_type": "bce"},
        r"in \[0, 1\] for loss_type 'bce', not from 0.* to 2",
    ),
    "below 0": (X - 0.5, {"loss_type": "bce"}, "rescale them, or use loss_type 'mse'"),
    "bytes": ((255 * X).astype(np.uint8), {}, "must be floats, not uint8 .*; divide them by 255"),
    "out of reach": (
        9 * X - 4,
        {"output_activation": "sigmoid"},
        r"'sigmoid' reaches \[0, 1\] only, .*use 'linear', or rescale them\.",
    ),
    "no probabilities": (
        X,
        {"loss_type": "bce", "output_activation": "linear"},
        "output_activation must be 'sigmoid' for loss_type 'bce'",
    ),
    "shape": (X, {"input_shape": (28, 28, 1)}, r"shape \[28, 28, 1\], not of \[4, 4, 1\]"),
    "text": (np.array([["a"]]), {}, "must be numbers, not <U1"),
    "complex": (X.astype(complex), {}, "must be numbers, not complex128"),
    "one example": (X[0, :, 0, 0], {}, r"examples \[n, \.\.\.\]"),
    "none": (X[:0], {}, "at least one, not an array of"),
    "loss": (X, {"loss_type": "bse"}, "loss_type must be one of bce, mae, mse"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_data_that_training_would_choke_on(case):
    x, options, words = REFUSED[case]
    with pytest.raises(ValueError, match=words) as error:
        check_examples(x, **options)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith((".", "?"))


def test_pictures_with_their_channels_first():
    with pytest.warns(UserWarning, match=r"numpy.moveaxis\(x, 1, -1\)"):
        check_examples(np.ones((2, 3, 28, 28), np.float32))


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.uint8, bool, np.int64])
def test_numbers_of_every_kind_are_data(kind):
    check_examples((X > 0.5).astype(kind), loss_type="bce")
    check_examples(100 * (X > 0.5).astype(np.int32) - 7, loss_type="mse")
