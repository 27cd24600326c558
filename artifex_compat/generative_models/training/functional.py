"""Models and optimizers as arrays in, arrays out, so that JAX can compile what changes them."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import jax
from flax import nnx

from edifice_py.checks import owned

Values = list[jax.Array]


class Functional:
    """The arrays of some NNX objects, and functions of the objects as functions of the arrays.

    The graph, with all that is static in it like `train()` and `eval()`, is read once, when this is
    made: walking it costs more than a small step of training. A variable holds an array, or, in an
    optimizer's state, none (`optax.MaskedNode`) or several.

    Args:
        nodes: the objects; what they share they go on sharing.

    Attributes:
        paths: of the arrays; the first part is the number of the object.
        types: of the variables that hold them.
    """

    def __init__(self, *nodes: Any) -> None:
        self.graphdef, state = nnx.split(nodes)
        self._structure: Any = jax.tree.structure(state)
        live = {
            path: item for path, item in nnx.iter_graph(nodes) if isinstance(item, nnx.Variable)
        }
        self._variables: list[tuple[nnx.Variable[Any], Any]] = []
        names, types = [], []
        for path, _ in nnx.to_flat_state(state):
            variable = live[path]
            leaves, tree = jax.tree.flatten_with_path(variable.get_raw_value())
            alone = len(leaves) == 1 and not leaves[0][0]
            self._variables.append((variable, None if alone else tree))
            names += [(*path, *map(_name, inner)) for inner, _ in leaves]
            types += [type(variable)] * len(leaves)
        self.paths, self.types = tuple(names), tuple(types)

    def read(self) -> Values:
        """The arrays of the objects, in the order of `paths`."""
        values: Values = []
        for variable, tree in self._variables:
            value = variable.get_raw_value()
            values += [value] if tree is None else jax.tree.leaves(value)
        return values

    def named(self) -> dict[str, jax.Array]:
        """The arrays by their paths, written with slashes."""
        names = ("/".join(map(str, path)) for path in self.paths)
        return dict(zip(names, self.read(), strict=True))

    def write(self, values: Sequence[jax.Array]) -> None:
        """Put arrays into the objects."""
        given = iter(values)
        for variable, tree in self._variables:
            leaves = islice(given, 1 if tree is None else tree.num_leaves)
            value = next(leaves) if tree is None else tree.unflatten(leaves)
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
        same_structure(self._structure, jax.tree.structure(state))
        return jax.tree.leaves(state), result


def same_structure(before: Any, after: Any) -> None:
    """Refuse a step after which a model or its optimizer has another structure.

    Raises:
        ValueError: it has.
    """
    if before != after:
        raise ValueError(
            "the model must keep its structure in training, and its optimizer too, and a step has "
            "changed it; make all of the model's state in __init__, or call it once before. "
            "Transformations whose state holds lists, as optax.sm3's does, cannot keep theirs."
        )


def _name(key: Any) -> Any:
    """A part of the path within a variable's value."""
    return getattr(key, "name", getattr(key, "key", getattr(key, "idx", None)))


class InPlace:
    """A compiled function of the arrays of some objects, which then hold the arrays it returns.

    It takes over no memory. Several arrays of JAX may share a buffer, as those that `device_put`
    returns for the same device do, and nothing says so: one that is donated deletes them all.

    Args:
        functional: the objects.
        function: `(values, *rest) -> (values, result)`.
    """

    def __init__(self, functional: Functional, function: Callable[..., tuple[Values, Any]]) -> None:
        self._functional = functional
        self._run: Any = jax.jit(function)

    def __call__(self, *rest: Any) -> Any:
        """The result for the arrays that the objects hold; they hold the new ones afterwards."""
        values, result = self.run(self._functional.read(), *jax.tree.map(owned, rest))
        self._functional.write(values)
        return result

    def run(self, values: Values, *rest: Any) -> tuple[Values, Any]:
        """The new arrays and the result for these arrays; the objects stay as they are."""
        new, result = self._run(values, *rest)
        return new, result

    def trace(self, *rest: Any) -> None:
        """Raise what the function refuses in such arguments; nothing is computed."""
        self._run.eval_shape(self._functional.read(), *rest)

    @property
    def compilations(self) -> int:
        """How often it was compiled."""
        return int(self._run._cache_size())
