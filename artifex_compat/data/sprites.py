"""Sprites with known factors, of dSprites' kind: made when they are asked for, always the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from artifex_compat.data.examples import Examples
from artifex_compat.data.files import Array
from artifex_compat.data.outlines import OUTLINES, drawn
from artifex_compat.shuffling import shuffled
from edifice_py.checks import choice, integer, positive_int

FACTORS = ("shape", "scale", "orientation", "x", "y")
SMALLEST, LARGEST = 0.5, 1.0
RADIUS = 0.2
"""Half the width of the square around a sprite of scale 1, in widths of the image."""
SPAN = 31 / 64
"""How far centres reach, in widths of the image: 32 positions are a pixel apart in 64."""


@dataclass(frozen=True)
class Sprites:
    """All combinations of shape, scale, orientation and position of one white sprite on black.

    Nothing is stored: an image is drawn when it is asked for, and its index says which it is. The
    defaults are the grid of dSprites, 737,280 images of 64 x 64. It has no factor of colour, which
    is constant in dSprites, and a full turn is not counted twice as it is there. The y axis points
    down, and so a growing orientation turns clockwise.

    A square looks the same after a quarter turn and an ellipse after half of one, as in dSprites.

    Args:
        size: height and width of an image, in pixels.
        shapes: some of square, ellipse and heart.
        scales: how many, evenly from 0.5 to 1; a single one is 0.75.
        orientations: how many, evenly around the circle.
        positions: how many along each axis; a single one is the middle.

    Raises:
        ValueError: a number is not positive, or there is no such shape, or none.

    Example:
        >>> sprites = Sprites(size=16, orientations=4, positions=8)
        >>> len(sprites), sprites.factor_sizes
        (4608, (3, 6, 4, 8, 8))
        >>> sprites.sample(100, seed=0).x.shape
        (100, 16, 16, 1)

    Reference:
        Matthey, Higgins, Hassabis and Lerchner (2017), dSprites: Disentanglement testing Sprites
        dataset. The images are drawn anew and not the same pixels.
    """

    size: int = 64
    shapes: tuple[str, ...] = tuple(OUTLINES)
    scales: int = 6
    orientations: int = 40
    positions: int = 32

    def __post_init__(self) -> None:
        """Check the arguments."""
        for name in ("size", "scales", "orientations", "positions"):
            positive_int(name, getattr(self, name))
        for shape in self.shapes:
            choice("shapes", shape, OUTLINES)
        if not self.shapes or len(set(self.shapes)) < len(self.shapes):
            raise ValueError(
                f"shapes must be different ones of {', '.join(OUTLINES)}, at least one, "
                f"not {self.shapes!r}."
            )

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The factors, from the one that an index counts slowest to the fastest."""
        return FACTORS

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many values each factor has."""
        return (len(self.shapes), self.scales, self.orientations, self.positions, self.positions)

    def __len__(self) -> int:
        """How many images there are."""
        return prod(self.factor_sizes)

    def __getitem__(self, index: int) -> dict[str, Array]:
        """One example for a loader of data, like grain's: `image` and `labels`.

        Raises:
            IndexError: there is no such index.
        """
        number = integer(index)
        if number is None or not 0 <= number < len(self):
            raise IndexError(f"index must be from 0 to {len(self) - 1}, not {index!r}.")
        return {name: rows[0] for name, rows in self.examples([number]).as_batch().items()}

    def factors_of(self, indices: Any) -> Array:
        """Which value each factor has, counted from 0: int32 `[n, 5]`.

        Args:
            indices: of images, `[n]`.

        Raises:
            ValueError: one is out of range.
        """
        found = _integers("indices", indices, 1)
        _check_range("indices", found, len(self))
        return np.stack(np.unravel_index(found, self.factor_sizes), axis=1).astype(np.int32)

    def indices_of(self, factors: Any) -> Array:
        """The indices of images with these factors, int64 `[n]`; the inverse of `factors_of`.

        Args:
            factors: which value each factor has, counted from 0, `[n, 5]`.

        Raises:
            ValueError: one is out of range.
        """
        found = _integers("factors", factors, 2)
        if found.shape[1] != len(FACTORS):
            raise ValueError(
                f"factors must be [n, {len(FACTORS)}] for {', '.join(FACTORS)}, "
                f"not {list(found.shape)}."
            )
        for column, name, size in zip(found.T, FACTORS, self.factor_sizes, strict=True):
            _check_range(f"the factor {name}", column, size)
        return np.ravel_multi_index(tuple(found.T), self.factor_sizes)

    def values_of(self, factors: Any) -> Array:
        """What the factors mean, float64 `[n, 5]`.

        Args:
            factors: which value each factor has, counted from 0, `[n, 5]`.

        Returns:
            The number of the shape; the scale, from 0.5 to 1; the orientation in radians; and the
            centre's x and y in widths of the image, from its upper left corner.

        Raises:
            ValueError: one is out of range.
        """
        self.indices_of(factors)
        shape, scale, orientation, x, y = np.asarray(factors).T
        return np.stack(
            [
                shape.astype(np.float64),
                _evenly(scale, self.scales, SMALLEST, LARGEST),
                2 * np.pi * orientation / self.orientations,
                *(_evenly(place, self.positions, *_ENDS) for place in (x, y)),
            ],
            axis=1,
        )

    def images(self, factors: Any) -> Array:
        """The images with these factors, float32 `[n, size, size, 1]`, each pixel 0 or 1.

        A pixel is 1 where its centre is in the sprite.

        Args:
            factors: which value each factor has, counted from 0, `[n, 5]`.

        Raises:
            ValueError: one is out of range.
        """
        values = self.values_of(factors)
        result: Array = np.empty((len(values), self.size, self.size, 1), np.float32)
        for number, name in enumerate(self.shapes):
            (rows,) = np.nonzero(values[:, 0] == number)
            for start in range(0, len(rows), _AT_ONCE):
                some = rows[start : start + _AT_ONCE]
                _, scale, angle, x, y = values[some].T
                result[some, ..., 0] = drawn(name, scale * RADIUS, angle, x, y, self.size)
        return result

    def examples(self, indices: Any) -> Examples:
        """The images of some indices `[n]`, with their factors.

        Raises:
            ValueError: one is out of range.
        """
        factors = self.factors_of(indices)
        names = {"shape": self.shapes}
        return Examples(self.images(factors), factors, FACTORS, names, copy=False)

    def sample(self, count: int, seed: int = 0) -> Examples:
        """Images drawn at random, all different ones, with their factors.

        Args:
            count: how many.
            seed: names the draw.

        Raises:
            ValueError: there are not as many.
        """
        if positive_int("count", count) > len(self):
            raise ValueError(f"count must be at most the {len(self)} images, not {count}.")
        return self.examples(shuffled(len(self), seed)[:count])

    def batches(self, batch_size: int, count: int, seed: int = 0) -> "SpriteBatches":
        """Batches drawn at random and made on the fly, for `Trainer.train`.

        Args:
            batch_size: images in each.
            count: how many batches an epoch has.
            seed: names the draw. Every epoch has the same batches.

        Raises:
            ValueError: a number is not positive.
        """
        size, number = positive_int("batch_size", batch_size), positive_int("count", count)
        return SpriteBatches(self, size, number, seed)


@dataclass(frozen=True)
class SpriteBatches:
    """Batches of sprites, the same ones each time that they are gone through."""

    sprites: Sprites
    batch_size: int
    count: int
    seed: int

    def __len__(self) -> int:
        """How many batches there are."""
        return self.count

    def __iter__(self) -> Iterator[dict[str, Array]]:
        """The batches: `image` and `labels`."""
        for index in range(self.count):
            words = np.random.PCG64((self.seed, index)).random_raw(self.batch_size)
            rows = (words % len(self.sprites)).astype(np.int64)
            yield self.sprites.examples(rows).as_batch()


_ENDS = ((1 - SPAN) / 2, (1 + SPAN) / 2)
_AT_ONCE = 64


def _evenly(numbers: Array, count: int, low: float, high: float) -> Array:
    """`count` values from `low` to `high`; a single one is in the middle."""
    if count == 1:
        return np.full(numbers.shape, (low + high) / 2)
    return low + (high - low) * numbers / (count - 1)


def _integers(name: str, value: Any, rank: int) -> Array:
    found = np.asarray(value)
    if found.size == 0 or found.ndim != rank or found.dtype.kind not in "iu":
        shape = "[n]" if rank == 1 else f"[n, {len(FACTORS)}]"
        raise ValueError(
            f"{name} must be integers {shape}, at least one, not {found.dtype}{list(found.shape)}."
        )
    return found


def _check_range(name: str, numbers: Array, count: int) -> None:
    if numbers.min() < 0 or numbers.max() >= count:
        raise ValueError(
            f"{name} must be from 0 to {count - 1}, not from {numbers.min()} to {numbers.max()}."
        )
