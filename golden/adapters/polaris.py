"""Polaris' optimizers by optax: which call of optax gives the numbers of each."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import jax
import optax

from golden.adapters import UnsupportedError
from golden.case import Case

Optimizer: TypeAlias = optax.GradientTransformation


def adam(learning_rate: float = 1e-3, **options: float) -> Optimizer:
    """Polaris' Adam: 1e-15 is inside its root."""
    return optax.adam(learning_rate, **{"eps_root": 1e-15} | options)


def _adamw(learning_rate: float = 1e-3, decay: float = 0.0, **options: float) -> Optimizer:
    return optax.adamw(learning_rate, weight_decay=decay, **{"eps_root": 1e-15} | options)


def _lamb(learning_rate: float = 1e-2, decay: float = 0.0, **options: float) -> Optimizer:
    defaults = {"eps": 1e-8, "eps_root": 1e-15}
    return optax.lamb(learning_rate, weight_decay=decay, **defaults | options)


def _at(make: Callable[..., Optimizer], default: float) -> Callable[..., Optimizer]:
    """An optimizer of optax with a default for its learning rate."""
    return lambda learning_rate=default, **options: make(learning_rate, **options)


# Its second moment is that of the gradient, and not of the gradient's distance from its mean.
_adabelief = partial(adam, eps=0.0, eps_root=1e-16)

OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = {
    "adabelief": _adabelief,
    "adagrad": _at(optax.adagrad, 1e-3),
    "adam": adam,
    "adamw": _adamw,
    "lamb": _lamb,
    "rmsprop": _at(optax.rmsprop, 1e-2),
    "sgd": _at(optax.sgd, 1e-2),
    "yogi": _at(optax.yogi, 1e-2),
}
"""By Polaris' name, called with its options; the learning rates are its defaults."""


def answer(case: Case, inputs: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    """The parameters after each update."""
    options = dict(case.options)
    make = OPTIMIZERS.get(name := options.pop("name"))
    if make is None:
        raise UnsupportedError(f"the optimizer {name}")
    optimizer = make(**options)

    def step(carry: Any, gradient: jax.Array) -> tuple[Any, jax.Array]:
        params, state = carry
        updates, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    with jax.numpy_dtype_promotion("standard"):  # optax promotes its step count
        start = inputs["params"], optimizer.init(inputs["params"])
        _, params = jax.lax.scan(step, start, inputs["gradients"])
    return {"params": params}
