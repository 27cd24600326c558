"""Models and optimizers as arrays in, arrays out, so that JAX can compile what changes them."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from artifex_compat.generative_models.training.placement import is_key, owned

Values = list[jax.Array]


class Functional:
    """The arrays of some NNX objects, and functions of the objects as functions of the arrays.

    The graph, with all that is static in it like `train()` and `eval()`, is read once, when this is
    made: walking it costs more than a small step of training. A variable holds an array, or, in an
    optimizer's state, none (`optax.MaskedNode`).

    Args:
        nodes: the objects; what they share they go on sharing.
    """

    def __init__(self, *nodes: Any) -> None:
        self.graphdef, state = nnx.split(nodes)
        self._structure: Any = jax.tree.structure(state)
        live = {
            path: item for path, item in nnx.iter_graph(nodes) if isinstance(item, nnx.Variable)
        }
        leaves = [
            (live[path], (*path, *map(_name, inner)), not inner and not is_key(leaf))
            for path, _ in nnx.to_flat_state(state)
            for inner, leaf in jax.tree.leaves_with_path(live[path].get_raw_value())
        ]
        self.paths = tuple(path for _, path, _ in leaves)
        self._numbers = [index for index, (_, _, single) in enumerate(leaves) if single]
        self._others = [index for index, (_, _, single) in enumerate(leaves) if not single]
        self._of_numbers = [leaves[index][0] for index in self._numbers]
        self._of_others = list(
            {id(leaves[index][0]): leaves[index][0] for index in self._others}.values()
        )

    def read(self) -> Values:
        """The arrays of the objects, in the order of `paths`."""
        numbers = [variable.get_raw_value() for variable in self._of_numbers]
        return self.join(numbers, self._other_values())

    def release(self) -> tuple[Values, Values]:
        """The arrays that a compiled function may take the memory of, and the others, for `join`.

        Arrays that anyone else holds too are copied, so that nobody finds an array of his deleted.
        What else holds a key, or one array of several in a variable, cannot be seen.
        """
        values, counts = _held(self._of_numbers)
        for index, count in enumerate(counts):
            if count > _ALONE:
                values[index] = jnp.copy(values[index])
        return values, self._other_values()

    def _other_values(self) -> Values:
        return jax.tree.leaves([variable.get_raw_value() for variable in self._of_others])

    def join(self, numbers: Values, others: Values) -> Values:
        """What `release` gave, in the order of `paths`."""
        places = dict(zip(self._numbers + self._others, numbers + others, strict=True))
        return [places[index] for index in range(len(places))]

    def named(self) -> dict[str, jax.Array]:
        """The arrays by their paths, written with slashes."""
        names = ("/".join(map(str, path)) for path in self.paths)
        return dict(zip(names, self.read(), strict=True))

    def write(self, values: Sequence[jax.Array]) -> None:
        """Put arrays into the objects."""
        for variable, index in zip(self._of_numbers, self._numbers, strict=True):
            # Variable's own setter takes 6 us, and a small step of training 90 for 34 variables.
            object.__setattr__(variable, "_raw_value", values[index])
        others = iter([values[index] for index in self._others])
        for variable in self._of_others:
            tree = jax.tree.map(lambda _: next(others), variable.get_raw_value())
            object.__setattr__(variable, "_raw_value", tree)

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


def _name(key: Any) -> Any:
    """A part of the path within a variable's value."""
    return getattr(key, "name", getattr(key, "key", getattr(key, "idx", None)))


_ALONE = _held([nnx.Variable(np.zeros(()))])[1][0]


class InPlace:
    """A compiled function of the arrays of some objects, which hold the arrays that it gives.

    The memory of the arrays before is taken over by those after.

    Args:
        functional: the objects.
        function: `(values, *rest) -> (values, result)`.
    """

    def __init__(self, functional: Functional, function: Callable[..., tuple[Values, Any]]) -> None:
        def run(numbers: Values, others: Values, *rest: Any) -> tuple[Values, Any]:
            return function(functional.join(numbers, others), *rest)

        self._functional = functional
        self._run: Any = jax.jit(run, donate_argnums=0)

    def __call__(self, *rest: Any) -> Any:
        """The result, for the arrays that the objects hold and all else that the function takes."""
        given = jax.tree.map(owned, rest)
        values, result = self._run(*self._functional.release(), *given)
        self._functional.write(values)
        return result

    @property
    def compilations(self) -> int:
        """How often it was compiled."""
        return int(self._run._cache_size())
