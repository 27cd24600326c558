"""A converted beta gives a proportional loss: seen on gradients of losses that are computed."""

import itertools

import numpy as np
import pytest

from golden.__main__ import main
from golden.conversion import DIVERGENCES, RECONSTRUCTIONS, Loss, Sizes, convert
from golden.reference.conventions import FORMULAS

SIZES = Sizes(features=5, latent=2, batch=3)
LOSSES = [Loss(*names) for names in itertools.product(RECONSTRUCTIONS, DIVERGENCES)]
PARAMETERS = np.random.default_rng(0).normal(size=3 * (5 + 2 + 2))
TARGET = np.random.default_rng(1).normal(size=(3, 5))


def value(loss, beta, parameters):
    """The loss by the formulas of the conventions, which know nothing of the conversion."""
    output, mean, log_var = np.split(parameters, [15, 21])
    reconstruction = FORMULAS["reconstruction"][loss.reconstruction](output.reshape(3, 5), TARGET)
    kl = FORMULAS["kl"][loss.divergence](mean.reshape(3, 2), log_var.reshape(3, 2))
    return reconstruction["value"] + beta * kl["value"]


def gradient(loss, beta):
    """By complex steps, which are exact to rounding."""
    steps = 1e-20j * np.eye(PARAMETERS.size)
    return np.array([value(loss, beta, PARAMETERS + step).imag / 1e-20 for step in steps])


@pytest.mark.parametrize("source", LOSSES, ids=str)
def test_the_losses_are_proportional_by_the_scale_that_is_told(source):
    before = gradient(source, 4.0)
    for target in LOSSES:
        found = convert(4.0, source, target, SIZES)
        np.testing.assert_allclose(
            gradient(target, found.beta), found.scale * before, rtol=1e-12, atol=1e-15
        )


def test_another_beta_would_not_be_proportional():
    source, target = Loss("sum-features"), Loss("mean-elements")
    wrong = gradient(target, 1.01 * convert(4.0, source, target, SIZES).beta)
    right = gradient(source, 4.0)
    cosine = wrong @ right / np.linalg.norm(wrong) / np.linalg.norm(right)
    assert cosine < 1 - 1e-9


@pytest.mark.parametrize(
    ("source", "target", "beta"),
    [
        ("mean-elements", "sum-features", 784.0),
        ("sum-features", "mean-elements", 1 / 784),
        ("sum-features", "half-sum-features", 0.5),
        ("sum-features", "sum-all/sum-all", 1.0),
        ("sum-features", "sum-features/mean-elements", 32.0),
        ("mean-elements/mean-elements", "sum-features", 784 / 32),
        ("sum-all", "sum-features", 1 / 100),
    ],
)
def test_a_beta_of_1_is(source, target, beta):
    sizes = Sizes(features=784, latent=32, batch=100)
    assert convert(1.0, Loss.parse(source), Loss.parse(target), sizes).beta == beta


def test_there_and_back_is_the_same_beta():
    for source, target in itertools.product(LOSSES, LOSSES):
        there = convert(0.1, source, target, SIZES).beta
        assert convert(there, target, source, SIZES).beta == pytest.approx(0.1, rel=1e-15)


def test_a_size_that_does_not_matter_need_not_be_known():
    found = convert(2.0, Loss("mean-elements"), Loss("sum-features"), Sizes(features=10))
    assert found.beta == 20.0
    assert found.scale == 10.0


def test_where_the_sizes_do_not_tell_how_far_apart_two_losses_are_there_is_no_scale():
    source, target = Loss("sum-features"), Loss("sum-all", "sum-all")
    found = convert(3.0, source, target, Sizes())
    assert found.beta == 3.0
    assert found.scale is None


def test_a_size_that_matters_is_asked_for():
    with pytest.raises(ValueError, match="features is needed between sum-features/sum-latent"):
        convert(4.0, Loss("sum-features"), Loss("mean-elements"), Sizes(latent=32))


@pytest.mark.parametrize("size", [0, -3])
def test_sizes_are_positive(size):
    with pytest.raises(ValueError, match=f"latent must be a positive integer, not {size}"):
        Sizes(latent=size)


def test_the_command_prints_the_beta_and_what_it_is_of(capsys):
    sizes = ("--features", "784", "--latent", "32")
    assert main(["beta", "4", "--from", "sum-features", "--to", "mean-elements", *sizes]) == 0
    number, words, scale = capsys.readouterr().out.splitlines()
    assert float(number) == pytest.approx(4 / 784, rel=1e-11)
    assert words.startswith("beta 4 of sum-features/sum-latent is beta 0.00510204 of mean-elements")
    assert scale == "The second loss is 0.00127551 times the first."


def test_the_command_says_which_size_is_needed(capsys):
    assert main(["beta", "4", "--from", "sum-features", "--to", "mean-elements"]) == 2
    assert capsys.readouterr().err.startswith("golden: features is needed between sum-features")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["4", "--from", "sum", "--to", "sum-all"], "a reconstruction is one of mean-elements"),
        (["4", "--from", "sum-all/sum", "--to", "sum-all"], "a KL is one of sum-latent"),
        (["4", "--from", "sum-all/", "--to", "sum-all"], "a KL is one of sum-latent"),
        (["-1", "--from", "sum-all", "--to", "sum-all"], "beta: must be a number from 0, not -1"),
        (["nan", "--from", "sum-all", "--to", "sum-all"], "must be a number from 0, not nan"),
        (["4", "--from", "sum-all", "--to", "sum-all", "--batch", "0"], "a positive integer"),
        (["4", "--from", "sum-all", "--to", "sum-all", "--batch", "1.5"], "a positive integer"),
    ],
)
def test_what_the_command_does_not_understand_is_refused(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["beta", *arguments])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err
