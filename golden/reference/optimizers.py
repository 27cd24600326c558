"""Polaris' optimizers in float64: what each adds to the parameters.

Reference: the papers that Polaris.Optimizers names; Polaris.Updates, Polaris 0.1.0, for what they
leave open.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from golden.arrays import Array

Updates = Iterator[Array]


def run(options: Mapping[str, Any], params: Array, gradients: Array) -> Array:
    """The parameters after each step."""
    given = {name: value for name, value in options.items() if name != "name"}
    trajectory = Trajectory(params, gradients)
    for update in _OPTIMIZERS[options["name"]](trajectory, **given):
        trajectory.params = trajectory.params + update
        trajectory.passed.append(trajectory.params)
    return np.stack(trajectory.passed)


class Trajectory:
    """Parameters on their way, and the gradients to come."""

    def __init__(self, params: Array, gradients: Array) -> None:
        self.params = params
        self.gradients = gradients
        self.passed: list[Array] = []


def _moments(
    gradients: Array, b1: float, b2: float, start: float = 0.0
) -> Iterator[tuple[Array, Array]]:
    """Kingma and Ba (2015), algorithm 1: both moments, their bias corrected."""
    first = second = np.full(gradients.shape[1:], start)
    for count, g in enumerate(gradients, 1):
        first, second = b1 * first + (1 - b1) * g, b2 * second + (1 - b2) * g**2
        yield first / (1 - b1**count), second / (1 - b2**count)


def _adam(
    at: Trajectory,
    learning_rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    eps_root: float = 1e-15,
) -> Updates:
    for mean, square in _moments(at.gradients, b1, b2):
        yield -learning_rate * mean / (np.sqrt(square + eps_root) + eps)


def _adabelief(at: Trajectory, learning_rate: float = 1e-3) -> Updates:
    """Adam, in Polaris: its second moment is not that of the distance from the mean."""
    return _adam(at, learning_rate, eps=0.0, eps_root=1e-16)


def _adamw(
    at: Trajectory, learning_rate: float = 1e-3, decay: float = 0.0, **options: float
) -> Updates:
    """Loshchilov and Hutter (2019), algorithm 2."""
    for update in _adam(at, learning_rate, **options):
        yield update - learning_rate * decay * at.params


def _lamb(
    at: Trajectory, learning_rate: float = 1e-2, decay: float = 0.0, **options: float
) -> Updates:
    """You et al. (2020), algorithm 2."""
    for update in _adamw(at, 1.0, decay, **options):
        sizes = np.linalg.norm(at.params), np.linalg.norm(update)
        yield learning_rate * update * (sizes[0] / sizes[1] if all(sizes) else 1.0)


def _adagrad(
    at: Trajectory,
    learning_rate: float = 1e-3,
    eps: float = 1e-7,
    initial_accumulator_value: float = 0.1,
) -> Updates:
    """Duchi et al. (2011), figure 1."""
    total = np.full(at.params.shape, initial_accumulator_value)
    for g in at.gradients:
        total = total + g**2
        yield -learning_rate * g / np.sqrt(total + eps)


def _rmsprop(
    at: Trajectory,
    learning_rate: float = 1e-2,
    decay: float = 0.9,
    eps: float = 1e-8,
    initial_scale: float = 0.0,
    centered: bool = False,
    momentum: float | None = None,
    nesterov: bool = False,
) -> Updates:
    """Tieleman and Hinton (2012), lecture 6.5; centered as in Graves (2013), section 4.2."""
    mean, square = np.zeros(at.params.shape), np.full(at.params.shape, initial_scale)
    scaled = []
    for g in at.gradients:
        mean, square = decay * mean + (1 - decay) * g, decay * square + (1 - decay) * g**2
        variance = square - mean**2 if centered else square
        scaled.append(-learning_rate * g / np.sqrt(variance + eps))
    return _traced(np.stack(scaled), momentum, nesterov=nesterov)


def _sgd(
    at: Trajectory,
    learning_rate: float = 1e-2,
    momentum: float | None = None,
    nesterov: bool = False,
) -> Updates:
    """Sutskever et al. (2013), section 2."""
    return _traced(-learning_rate * at.gradients, momentum, nesterov=nesterov)


def _traced(updates: Array, momentum: float | None, *, nesterov: bool) -> Updates:
    trace = np.zeros(updates.shape[1:])
    for update in updates:
        trace = (momentum or 0.0) * trace + update
        yield (momentum or 0.0) * trace + update if nesterov else trace


def _yogi(
    at: Trajectory,
    learning_rate: float = 1e-2,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-3,
) -> Updates:
    """Zaheer et al. (2018), algorithm 2, both moments from 1e-6 and corrected as Adam's."""
    mean = square = np.full(at.params.shape, 1e-6)
    for count, g in enumerate(at.gradients, 1):
        mean = b1 * mean + (1 - b1) * g
        square = square - (1 - b2) * np.sign(square - g**2) * g**2
        root = np.sqrt(square / (1 - b2**count))
        yield -learning_rate * mean / (1 - b1**count) / (root + eps)


_OPTIMIZERS: Mapping[str, Callable[..., Updates]] = {
    "adabelief": _adabelief,
    "adagrad": _adagrad,
    "adam": _adam,
    "adamw": _adamw,
    "lamb": _lamb,
    "rmsprop": _rmsprop,
    "sgd": _sgd,
    "yogi": _yogi,
}
