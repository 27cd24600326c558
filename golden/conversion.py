"""Which beta under one convention is which under another: the same optimum, the same direction.

A loss is w R + beta v K, with R the squared errors (or cross-entropies) and K the KLs, both summed
over everything, and w and v what a convention makes of the sums: 1 / N for a mean over the batch,
1 / D for one over features, 1 / J for one over latent dimensions. Two losses with the same
beta v / w are proportional.
"""

from dataclasses import dataclass
from fractions import Fraction

RECONSTRUCTIONS = (
    "mean-elements",
    "sum-features",
    "sum-all",
    "mean-features-sum-batch",
    "half-mean-elements",
    "half-sum-features",
    "half-sum-all",
)
"""Reductions of the reconstruction error, under the names of `golden/conventions`."""

DIVERGENCES = ("sum-latent", "mean-elements", "sum-all", "mean-latent-sum-batch")
"""Reductions of the KL."""

_OVER_BATCH = ("mean-elements", "sum-features", "sum-latent")
_OVER_REST = ("mean-elements", "mean-features-sum-batch", "mean-latent-sum-batch")


@dataclass(frozen=True)
class Loss:
    """A loss of two terms, by the reductions of both."""

    reconstruction: str
    """One of `RECONSTRUCTIONS`."""
    divergence: str = "sum-latent"
    """One of `DIVERGENCES`."""

    @classmethod
    def parse(cls, text: str) -> "Loss":
        """Read `RECONSTRUCTION`, or `RECONSTRUCTION/KL`.

        Raises:
            ValueError: there is no reduction of that name.
        """
        reconstruction, slash, divergence = text.partition("/")
        loss = cls(reconstruction, divergence) if slash else cls(reconstruction)
        if loss.reconstruction not in RECONSTRUCTIONS:
            raise ValueError(
                f"a reconstruction is one of {', '.join(RECONSTRUCTIONS)}, not {reconstruction!r}"
            )
        if loss.divergence not in DIVERGENCES:
            raise ValueError(f"a KL is one of {', '.join(DIVERGENCES)}, not {divergence!r}")
        return loss

    def __str__(self) -> str:
        return f"{self.reconstruction}/{self.divergence}"


@dataclass(frozen=True)
class Sizes:
    """What is summed over; None where it is not known."""

    features: int | None = None
    latent: int | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        for name, size in vars(self).items():
            if size is not None and size < 1:
                raise ValueError(f"{name} must be a positive integer, not {size}")


@dataclass(frozen=True)
class Converted:
    """A beta under another convention."""

    beta: float
    scale: float | None
    """How many times the first loss the second one is; None where the sizes do not tell."""


def convert(beta: float, source: Loss, target: Loss, sizes: Sizes) -> Converted:
    """The beta of `target` that weighs the KL as `beta` of `source` does.

    Args:
        beta: weight of the KL, in units of the reconstruction error a nat.
        source: the loss that beta is of.
        target: the loss to find one for.
        sizes: features D of a sample, latent dimensions J, and samples N of a batch; those in
            which the two differ are needed.

    Returns:
        The other beta, and the ratio of the losses, by which a learning rate under plain gradient
        descent, or a limit on gradients, has to be divided or multiplied.

    Raises:
        ValueError: a size is needed and not given.
    """
    powers = {name: _power(target, name) - _power(source, name) for name in vars(sizes)}
    factor = Fraction(_halves(target.reconstruction), _halves(source.reconstruction))
    for name, power in powers.items():
        size = getattr(sizes, name)
        if power and size is None:
            raise ValueError(f"{name} is needed between {source} and {target}")
        factor *= Fraction(size or 1) ** power
    scale = _scale(source.reconstruction, target.reconstruction, sizes)
    return Converted(float(Fraction(beta) * factor), scale)


def _power(loss: Loss, size: str) -> int:
    """The power of a size in w / v, by which beta is multiplied."""
    reconstruction, divergence = loss.reconstruction.removeprefix("half-"), loss.divergence
    return {
        "features": -(reconstruction in _OVER_REST),
        "latent": +(divergence in _OVER_REST),
        "batch": (divergence in _OVER_BATCH) - (reconstruction in _OVER_BATCH),
    }[size]


def _halves(reconstruction: str) -> Fraction:
    return Fraction(1, 2) if reconstruction.startswith("half-") else Fraction(1)


def _scale(source: str, target: str, sizes: Sizes) -> float | None:
    """The weight of the reconstruction in one loss over that in another."""
    scale = Fraction(_halves(target), _halves(source))
    for members, size in ((_OVER_BATCH, sizes.batch), (_OVER_REST, sizes.features)):
        power = (source.removeprefix("half-") in members) - (
            target.removeprefix("half-") in members
        )
        if power and size is None:
            return None
        scale *= Fraction(size or 1) ** power
    return float(scale)
