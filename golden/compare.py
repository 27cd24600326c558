"""How far one array is from another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.arrays import DTYPES, Array, describe

_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


@dataclass(frozen=True)
class Tolerance:
    """How far an element may be from the one that is wanted.

    An element passes within `absolute + relative * max(|wanted|, scale * rms(wanted))`. The scale
    is for values that are sums of terms larger than themselves: their rounding is that of the
    terms.
    """

    absolute: float = 0.0
    relative: float = 0.0
    scale: float = 0.0

    def allowed(self, wanted: Array) -> Array:
        """The greatest difference allowed for each element."""
        size = np.abs(wanted)
        finite = size[np.isfinite(size)]
        greatest = finite.max(initial=0)  # squares of what it divides do not overflow
        rms = greatest * np.sqrt(np.mean((finite / greatest) ** 2)) if greatest else 0.0
        return np.asarray(self.absolute + self.relative * np.maximum(size, self.scale * rms))


EXACT = Tolerance()


@dataclass(frozen=True)
class Difference:
    """One output of an implementation against the one that is wanted."""

    max_absolute: float
    max_scaled: float
    """The greatest difference, over the greatest finite magnitude wanted where that is above 1."""
    max_ulp: float
    index: tuple[int, ...] | None
    """Where the difference is worst against what is allowed; None where there are no elements."""
    wanted: float | int | None
    had: float | int | None
    within: bool
    share: float = np.inf
    """The greatest share that an element has of the difference allowed to it."""
    problem: str = ""
    """Why nothing could be compared: a wrong shape or dtype."""


def compare(wanted: Array, had: Array, tolerance: Tolerance, *, wide: bool = False) -> Difference:
    """Hold `had` against `wanted`.

    Args:
        wanted: the recorded output.
        had: the output of an implementation.
        tolerance: what is allowed; NaN and infinities must be equal whatever it says.
        wide: accept float64 where a narrower float is wanted.

    Returns:
        The greatest differences, and the element that is worst against what is allowed.
    """
    may_differ = wide and _is_float(had) and _is_float(wanted)
    if had.shape != wanted.shape or (had.dtype != wanted.dtype and not may_differ):
        problem = f"wanted {describe(wanted)}, had {describe(had)}"
        return Difference(np.inf, np.inf, np.inf, None, None, None, within=False, problem=problem)
    if wanted.size == 0:
        return Difference(0.0, 0.0, 0.0, None, None, None, within=True, share=0.0)
    if not _is_float(wanted):
        return _exact(wanted, had)
    want, have = _in_float64(wanted, had)
    difference = distances(wanted, had)
    same = difference == 0
    with np.errstate(all="ignore"):
        allowed = tolerance.allowed(want)
        finite = np.isfinite(want) & np.isfinite(have)
        passes = same | (finite & (difference <= allowed))
        badness = np.where(same, 0.0, np.where(finite, difference / allowed, np.inf))
    # Where nothing is allowed every difference is infinitely bad: the greatest is the worst.
    worst = _index(np.argmax(np.where(badness == badness.max(), difference, -1)), want.shape)
    ulp = float(np.max(np.where(same, 0.0, ulps(wanted, had))))
    greatest = float(difference.max())
    return Difference(
        max_absolute=greatest,
        max_scaled=greatest / float(np.max(np.abs(want), where=np.isfinite(want), initial=1)),
        max_ulp=ulp,
        index=worst,
        wanted=float(want[worst]),
        had=float(have[worst]),
        within=bool(passes.all()),
        share=float(np.nanmax(badness)),
    )


def distances(wanted: Array, had: Array) -> Array:
    """How far each element is from the one that is wanted, of two arrays of one shape.

    It is 0 between two NaN and between equal infinities, and infinite where one alone is either.
    """
    if not _is_float(wanted):
        return np.asarray(np.abs(wanted.astype(object) - had.astype(object)), np.float64)
    want, have = _in_float64(wanted, had)
    same = (want == have) | (np.isnan(want) & np.isnan(have))
    with np.errstate(all="ignore"):
        distance = np.where(same, 0.0, np.abs(have - want))
    return np.where(np.isnan(distance), np.inf, distance)


def ulps(wanted: Array, had: Array) -> Array:
    """How many floats of wanted's dtype lie between each pair of elements; inf beside a NaN."""
    with np.errstate(over="ignore"):
        narrow = had.astype(wanted.dtype)
    broken = np.isnan(wanted.astype(np.float64)) | np.isnan(narrow.astype(np.float64))
    return np.where(broken, np.inf, np.abs(_rank(wanted) - _rank(narrow)))


def _rank(array: Array) -> Array:
    """The place of each float among all of its dtype, 0.0 and -0.0 at 0; exact up to 2^53."""
    bits = np.ascontiguousarray(array).view(_BITS[array.dtype.itemsize])
    magnitude = bits & np.iinfo(bits.dtype).max
    return np.where(bits < 0, -magnitude.astype(np.longdouble), magnitude.astype(np.longdouble))


def _in_float64(wanted: Array, had: Array) -> tuple[Array, Array]:
    """Both arrays, the second with infinities where the type of the first has none larger."""
    want, have = wanted.astype(np.float64), had.astype(np.float64)
    with np.errstate(over="ignore"):
        overflows = np.isinf(had.astype(wanted.dtype))
    return want, np.where(overflows, np.copysign(np.inf, have), have)


def _exact(wanted: Array, had: Array) -> Difference:
    distance = distances(wanted, had)
    worst = _index(np.argmax(distance), wanted.shape)
    greatest = float(distance[worst])
    pair = wanted[worst].item(), had[worst].item()
    scaled = greatest / max(1.0, float(np.abs(wanted.astype(np.float64)).max()))
    share = np.inf if greatest else 0.0
    within = greatest == 0
    return Difference(greatest, scaled, greatest, worst, *pair, within=within, share=share)


def _index(flat: Any, shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape))


def _is_float(array: Array) -> bool:
    return bool(np.issubdtype(array.dtype, np.floating)) or array.dtype == DTYPES["bf16"]
