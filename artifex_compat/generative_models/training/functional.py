"""Models and optimizers as arrays in, arrays out, so that JAX can compile what changes them."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from artifex_compat.generative_models.training.placement import is_key

Values = list[jax.Array]


class Functional:
    """The arrays of some NNX objects, and functions of the objects as functions of the arrays.

    The graph, with all that is static in it like `train()` and `eval()`, is read once, when this is
    made: walking it costs more than a small step of training.

    Args:
        nodes: the objects; what they share they go on sharing.
    """

    def __init__(self, *nodes: Any) -> None:
        self.graphdef, state = nnx.split(nodes)
        self._structure: Any = jax.tree.structure(state)
        live = {
            path: item for path, item in nnx.iter_graph(nodes) if isinstance(item, nnx.Variable)
        }
        self.paths = tuple(path for path, _ in nnx.to_flat_state(state))
        self._variables = [live[path] for path in self.paths]

    def read(self) -> Values:
        """The arrays of the objects, in the order of `paths`."""
        return [variable.get_raw_value() for variable in self._variables]

    def release(self) -> Values:
        """The arrays, for a compiled function that takes their memory; `write` must follow.

        Those that anyone else holds too are copied, so that nobody finds an array of his deleted.
        """
        return [
            jnp.copy(variable.get_raw_value()) if _is_shared(variable) else variable.get_raw_value()
            for variable in self._variables
        ]

    def named(self) -> dict[str, jax.Array]:
        """The arrays by their paths, written with slashes."""
        names = ("/".join(map(str, path)) for path in self.paths)
        return dict(zip(names, self.read(), strict=True))

    def write(self, values: Sequence[jax.Array]) -> None:
        """Put arrays into the objects."""
        for variable, value in zip(self._variables, values, strict=True):
            # Variable's own setter takes 6 us, and a small step of training 90 for 34 variables.
            object.__setattr__(variable, "_raw_value", value)

    def merge(self, values: Sequence[jax.Array]) -> Any:
        """New objects with these arrays, for use inside a compiled function."""
        return nnx.merge(self.graphdef, jax.tree.unflatten(self._structure, values))

    def call(self, values: Sequence[jax.Array], function: Callable[..., Any]) -> tuple[Values, Any]:
        """Call a function of the objects, for use inside a compiled function.

        Returns:
            The arrays after the call, and what the function returned.

        Raises:
            ValueError: the function changed the structure of an object.
        """
        nodes = self.merge(values)
        result = function(*nodes)
        state = nnx.state(nodes)
        if jax.tree.structure(state) != self._structure:
            raise ValueError(
                "the model must keep its structure in training, and a step has added to it or "
                "taken from it; make all of its state in __init__, or call it once before."
            )
        return jax.tree.leaves(state), result


def _holders(variable: Any) -> int:
    return sys.getrefcount(variable.get_raw_value())


_ALONE = _holders(nnx.Variable(np.zeros(())))


def _is_shared(variable: Any) -> bool:
    """Whether anything but a variable holds its array; keys are taken to be shared."""
    return is_key(variable.get_raw_value()) or _holders(variable) > _ALONE
