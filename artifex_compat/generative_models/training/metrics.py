"""What a compiled step tells of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp


@partial(jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["places"])
@dataclass(frozen=True)
class Scalars:
    """Single numbers by name; one that has several names is there once.

    Attributes:
        values: the numbers, float32.
        places: each name, and which of the values is its.
    """

    values: list[jax.Array]
    places: tuple[tuple[str, int], ...]

    def named(self) -> dict[str, jax.Array]:
        """The numbers by all of their names."""
        return {name: self.values[place] for name, place in self.places}


def scalars(metrics: Mapping[str, Any]) -> Scalars:
    """The metrics that are single numbers."""
    single = {name: value for name, value in metrics.items() if jnp.ndim(value) == 0}
    distinct = {id(value): value for value in single.values()}
    order = {identity: place for place, identity in enumerate(distinct)}
    places = tuple((name, order[id(value)]) for name, value in single.items())
    return Scalars([jnp.asarray(value, jnp.float32) for value in distinct.values()], places)
