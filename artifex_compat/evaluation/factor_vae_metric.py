"""The metric of FactorVAE."""

import numpy as np

from artifex_compat.evaluation.arrays import Array, classes_of_factors, latents_of
from artifex_compat.evaluation.groups import Groups, draws
from artifex_compat.evaluation.score import Score, numbers
from edifice_py.checks import positive_int


def factor_vae_score(
    latents: Array,
    factors: Array,
    *,
    batch_size: int = 64,
    votes: int = 10_000,
    test_votes: int = 5_000,
    least_deviation: float = 0.0,
    seed: int = 0,
) -> Score:
    """Whether the latent that varies least where a factor is held still tells which factor it is.

    A vote holds one random factor at the value that a random example has, draws examples of that
    value, and takes the latent whose variance among them, over its variance among all examples, is
    least. A latent stands for the factor that most votes for it held still; the score is the share
    of other votes that this gets right. By chance it is 1 over the number of factors.

    The others factors of a draw are as they are in the examples: give examples in which factors are
    independent, and many for each value.

    Args:
        latents: posterior means, `[n, latent]`.
        factors: classes, `[n, factors]` or `[n]`.
        batch_size: how many examples a vote draws.
        votes: how many decide which factor a latent stands for.
        test_votes: how many are counted.
        least_deviation: latents whose standard deviation is not above it are left out, as those
            that fell back to the prior in the paper.
        seed: names the draws.

    Returns:
        A score in [0, 1], 0 if no latent varies; details: `votes` `[latent, factors]`,
        `training_accuracy`, `chance` and `latents_used`.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes do not fit, they are not finite, a factor does not vary or is no
            class, or a number is not positive.

    Reference:
        Kim and Mnih (2018), Disentangling by Factorising, section 4 and algorithm 1; numbers of
        votes, and votes that are counted apart, as Locatello et al. (2019), appendix C.
    """
    z = latents_of(latents)
    classes = classes_of_factors(factors, len(z))
    options = {
        "batch_size": positive_int("batch_size", batch_size),
        "votes": positive_int("votes", votes),
        "test_votes": positive_int("test_votes", test_votes),
        "least_deviation": least_deviation,
        "seed": seed,
    }
    if batch_size < 2:
        raise ValueError(f"batch_size must be at least 2, to have a variance, not {batch_size}.")
    (used,) = np.nonzero(z.std(axis=0, ddof=1) > least_deviation)
    chance = 1 / classes.shape[1]
    if not used.size:
        return Score("factor_vae", 0.0, options, {"latents_used": (), "chance": chance})
    generator = np.random.default_rng(seed)
    scaled = z[:, used] / z[:, used].std(axis=0, ddof=1)
    groups = [Groups(column) for column in classes.T]
    cast, tested = (
        _votes(scaled, groups, number, batch_size, generator) for number in (votes, test_votes)
    )
    chosen = np.arange(len(used)), cast.argmax(axis=1)
    every: Array = np.zeros((z.shape[1], classes.shape[1]), np.int64)
    every[used] = cast
    details = {
        "votes": numbers(every),
        "training_accuracy": float(cast[chosen].sum() / votes),
        "chance": chance,
        "latents_used": numbers(used),
    }
    return Score("factor_vae", float(tested[chosen].sum() / test_votes), options, details)


def _votes(
    z: Array, groups: list[Groups], number: int, batch_size: int, generator: np.random.Generator
) -> Array:
    """How often each latent had the least variance where each factor was held, `[latent, factor]`.

    Args:
        z: latents of unit variance, `[n, latent]`.
        groups: of each factor.
        number: of votes.
        batch_size: how many examples each draws.
        generator: where the draws come from.
    """
    result: Array = np.zeros((z.shape[1], len(groups)), np.int64)
    for factor, size in draws(groups, number, generator):
        group = groups[factor]
        drawn = z[group.members(group.examples(size, generator), batch_size, generator)]
        least = drawn.var(axis=1, ddof=1).argmin(axis=1)
        result[:, factor] += np.bincount(least, minlength=z.shape[1])
    return result
