"""Trees of arrays: nested dictionaries and tuples, and the flat names of their leaves."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from edifice_py.interchange.arrays import Array, checked
from edifice_py.interchange.errors import InterchangeError, place, shortened

Tree: TypeAlias = "Array | dict[str, Tree] | tuple[Tree, ...]"
"""What a file holds."""

MOST_LEVELS = 32
MOST_CONTAINERS = 2**14
SEPARATOR = "."
_ESCAPES = (("%", "%25"), (SEPARATOR, "%2E"))
_FIRST = "%30"
"""The name 0 of a dictionary whose names would else be those of a tuple."""


def normalised(tree: object, path: tuple[str, ...] = ()) -> Tree:
    """A tree with plain dictionaries, tuples and numpy arrays, which share memory with those given.

    Raises:
        InterchangeError: it holds something else, or is too deep.
    """
    if len(path) > MOST_LEVELS:
        raise InterchangeError(f"the tree must be at most {MOST_LEVELS} levels deep.")
    if isinstance(tree, Mapping):
        for name in tree:
            if not isinstance(name, str):
                raise InterchangeError(
                    f"the names in {place(path)} must be strings, not {shortened(name)}."
                )
        return {name: normalised(value, (*path, name)) for name, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(normalised(value, (*path, str(i))) for i, value in enumerate(tree))
    if isinstance(tree, list):
        raise InterchangeError(
            f"{place(path)} is a list, which Nx.deserialize cannot make; give a tuple."
        )
    return checked(tree, path)


def leaves(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Array]]:
    """The arrays of a tree, with the names that lead to each; of tuples their numbers."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from leaves(value, (*path, name))
    elif isinstance(tree, tuple):
        for index, value in enumerate(tree):
            yield from leaves(value, (*path, str(index)))
    else:
        yield path, tree


def flat(tree: Tree) -> dict[str, Array]:
    """The arrays of a tree by names like `encoder_dense_0.kernel`.

    A tuple's members are named 0, 1, and so on. `.` and `%` in a name become `%2E` and `%25`.

    Raises:
        InterchangeError: the tree is one array, or a dictionary or tuple in it is empty: flat
            names cannot say that.
    """
    if not isinstance(tree, dict):
        raise InterchangeError("flat names need a dictionary of arrays around all others.")
    return dict(_flat(tree, ()))


def unflat(arrays: Mapping[str, Array]) -> Tree:
    """The tree whose `flat` names are given; names 0, 1, ... that stand alone are of a tuple.

    Raises:
        InterchangeError: a name is that of an array, and of a dictionary too, or stands for the
            same as another one, or there are too many levels or dictionaries.
    """
    root: dict[str, object] = {}
    containers = 1
    for name, array in arrays.items():
        *outer, last = name.split(SEPARATOR)
        if len(outer) >= MOST_LEVELS:
            raise InterchangeError(f"{shortened(name)} has more than {MOST_LEVELS} levels.")
        node = root
        for part in outer:
            containers += part not in node
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                raise InterchangeError(f"{shortened(name)} stands within another array.")
            node = inner
        if containers > MOST_CONTAINERS:
            raise InterchangeError(f"there are more than {MOST_CONTAINERS} dictionaries.")
        if last in node:
            raise InterchangeError(f"{shortened(name)} is an array and a dictionary.")
        node[last] = array
    return _named(root)


def _flat(tree: Tree, path: tuple[str, ...]) -> Iterator[tuple[str, Array]]:
    if isinstance(tree, dict | tuple):
        if path and not tree:
            raise InterchangeError(f"{place(path)} is empty, which flat names cannot say.")
        for name, value in _members(tree, at_root=not path):
            yield from _flat(value, (*path, name))
    else:
        yield SEPARATOR.join(path), tree


def _members(tree: dict[str, Tree] | tuple[Tree, ...], *, at_root: bool) -> list[tuple[str, Tree]]:
    if not isinstance(tree, dict):
        return [(str(index), value) for index, value in enumerate(tree)]
    escaped = [(_escaped(name), value) for name, value in tree.items()]
    if not at_root and _of_a_tuple([name for name, _ in escaped]):
        return [(_FIRST if name == "0" else name, value) for name, value in escaped]
    return escaped


def _built(node: object) -> Tree:
    if not isinstance(node, dict):
        return node  # type: ignore[return-value] # an array
    if _of_a_tuple(list(node)):
        return tuple(_built(node[str(index)]) for index in range(len(node)))
    return _named(node)


def _named(node: dict[str, object]) -> dict[str, Tree]:
    found = {_unescaped(name): _built(value) for name, value in node.items()}
    if len(found) < len(node):
        twice = next(name for name in node if _escaped(_unescaped(name)) != name)
        raise InterchangeError(f"the name {shortened(twice)} stands for another one too.")
    return found


def _of_a_tuple(names: list[str]) -> bool:
    return bool(names) and set(names) == {str(index) for index in range(len(names))}


def _escaped(name: str) -> str:
    for letter, escape in _ESCAPES:
        name = name.replace(letter, escape)
    return name


def _unescaped(name: str) -> str:
    if name == _FIRST:
        return "0"
    for letter, escape in reversed(_ESCAPES):
        name = name.replace(escape, letter)
    return name
