"""Models and optimizers as arrays in, arrays out, so that JAX can compile what changes them."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from artifex_compat.generative_models.training.placement import is_key
from edifice_py.checks import native

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
        keys = [is_key(variable.get_raw_value()) for variable in self._variables]
        self._keys = [index for index, found in enumerate(keys) if found]
        self._numbers = [index for index, found in enumerate(keys) if not found]

    def read(self) -> Values:
        """The arrays of the objects, in the order of `paths`."""
        return [variable.get_raw_value() for variable in self._variables]

    def release(self) -> tuple[Values, Values]:
        """The arrays that a compiled function may take the memory of, and the keys, for `join`.

        Arrays that anyone else holds too are copied, so that nobody finds an array of his deleted.
        What else holds a key cannot be seen.
        """
        values, counts = _held([self._variables[index] for index in self._numbers])
        for index, count in enumerate(counts):
            if count > _ALONE:
                values[index] = jnp.copy(values[index])
        return values, [self._variables[index].get_raw_value() for index in self._keys]

    def join(self, numbers: Values, keys: Values) -> Values:
        """What `release` gave, in the order of `paths`."""
        places = dict(zip(self._numbers + self._keys, numbers + keys, strict=True))
        return [places[index] for index in range(len(places))]

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


def _held(variables: list[nnx.Variable[Any]]) -> tuple[Values, list[int]]:
    """The arrays of some variables, and how many hold each."""
    values = [variable.get_raw_value() for variable in variables]
    return values, list(map(sys.getrefcount, values))


_ALONE = _held([nnx.Variable(np.zeros(()))])[1][0]


class InPlace:
    """A compiled function of the arrays of some objects, which hold the arrays that it gives.

    The memory of the arrays before is taken over by those after.

    Args:
        functional: the objects.
        function: `(values, *rest) -> (values, result)`.
    """

    def __init__(self, functional: Functional, function: Callable[..., tuple[Values, Any]]) -> None:
        def run(numbers: Values, keys: Values, *rest: Any) -> tuple[Values, Any]:
            return function(functional.join(numbers, keys), *rest)

        self._functional = functional
        self._run: Any = jax.jit(run, donate_argnums=0)

    def __call__(self, *rest: Any) -> Any:
        """The result, for the arrays that the objects hold and all else that the function takes."""
        given = jax.tree.map(native, rest)
        values, result = self._run(*self._functional.release(), *given)
        self._functional.write(values)
        return result

    @property
    def compilations(self) -> int:
        """How often it was compiled."""
        return int(self._run._cache_size())
