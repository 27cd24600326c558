"""Files of `Nx.serialize`: a header, an Erlang term of names and shapes, and the numbers."""

from dataclasses import dataclass, replace
from typing import TypeGuard, cast

from edifice_py.checks import choice
from edifice_py.interchange import external_term
from edifice_py.interchange.arrays import Array, Endianness, to_bytes
from edifice_py.interchange.checkpoint import Checkpoint, opened
from edifice_py.interchange.errors import InterchangeError, looks_like, place, shortened
from edifice_py.interchange.external_term import Atom, Term
from edifice_py.interchange.nx_terms import ModelState, Node, Reading, plain, term_of
from edifice_py.interchange.trees import Tree, leaves, normalised

CONTAINERS = ("model_state", "map")

_PREFIX = b"nx"
_VERSION = 1
_HEADER_BYTES = 12
_ENDIANNESS: tuple[Endianness, ...] = ("little", "big")
_PAIR = {"encoder", "decoder"}


@dataclass(frozen=True)
class NxDocument:
    """What a file of `Nx.serialize` holds, to the last byte.

    Attributes:
        node: the tree of its arrays, with each `ModelState` in it.
        term: the Erlang term, as it is encoded in the file.
        endianness: of the numbers in the file.
        checkpoint: what Edifice.Checkpoint puts around them, None in other files.
    """

    node: Node
    term: bytes
    endianness: Endianness = "little"
    checkpoint: Checkpoint | None = None

    @property
    def params(self) -> Tree:
        """The tree of arrays: dictionaries, tuples and numpy arrays."""
        return plain(self.node)

    def to_bytes(self) -> bytes:
        """The file: the same bytes, where it was read from one."""
        header = bytes([*_PREFIX, _VERSION, _ENDIANNESS.index(self.endianness)])
        numbers = (to_bytes(array, self.endianness) for _, array in leaves(self.params))
        size = len(self.term).to_bytes(8, "big")
        serialized = b"".join((header, size, self.term, *numbers))
        return self.checkpoint.around(serialized) if self.checkpoint else serialized

    def with_params(self, params: object) -> "NxDocument":
        """The same file with other numbers: names, shapes, types and all else stay as they are.

        Raises:
            InterchangeError: the parameters have other names, shapes or types.
        """
        return replace(self, node=_replaced(self.node, normalised(params), ()))


def parse(data: bytes) -> NxDocument:
    """What the bytes of a file hold.

    Raises:
        InterchangeError: they are not what `Nx.serialize` or Edifice.Checkpoint writes, or hold
            what is not read here.
    """
    data, checkpoint = opened(data)
    if data[:2] != _PREFIX:
        raise InterchangeError(
            f"a file of Nx.serialize begins with {_PREFIX!r}, not {data[:2]!r}: {looks_like(data)}."
        )
    if len(data) < _HEADER_BYTES:
        raise InterchangeError(f"the file ends after {len(data)} bytes, within its header.")
    version, endianness = data[2], data[3]
    if version != _VERSION:
        raise InterchangeError(f"the version of Nx.serialize must be {_VERSION}, not {version}.")
    if endianness >= len(_ENDIANNESS):
        raise InterchangeError(f"the endianness must be 0 or 1, not {endianness}.")
    size = int.from_bytes(data[4:_HEADER_BYTES], "big")
    end = _HEADER_BYTES + size
    if end > len(data):
        raise InterchangeError(
            f"the file ends {shortened(end - len(data))} bytes before its Erlang term does."
        )
    term = data[_HEADER_BYTES:end]
    reading = Reading(data, end, _ENDIANNESS[endianness])
    node = reading.tree(external_term.decode(term))
    return NxDocument(node, term, _ENDIANNESS[endianness], checkpoint)


def document(params: object, container: str | None = None) -> NxDocument:
    """A file for parameters.

    Args:
        params: nested dictionaries and tuples of arrays.
        container: "model_state" for what Axon predicts with, "map" for plain maps. Where it is not
            given, it is the first for parameters of layers, `{layer: {name: array}}`, and for a
            pair of them, `{"encoder": ..., "decoder": ...}`, which may have others beside it, and
            the second for other trees.

    Raises:
        InterchangeError: the tree cannot be written.
        ValueError: there is no such container.
    """
    if container is not None:
        choice("container", container, CONTAINERS)
    tree = _ordered(normalised(params))
    if container == "map" or (container is None and not _is_of_layers(tree)):
        node = cast(Node, tree)
    elif container and isinstance(tree, dict) and not tree.keys() <= _PAIR:
        node = _model_state(tree, ())
    else:
        node = _with_model_states(tree)
    term = external_term.encode(term_of(node))
    external_term.decode(term)  # what is written can be read: its size is bounded
    return NxDocument(node, term)


def _ordered(tree: Tree) -> Tree:
    """A tree with the names of every dictionary in Erlang's order: atoms, then by letters."""
    if isinstance(tree, dict):
        names = sorted(tree, key=lambda name: (not isinstance(name, Atom), name))
        return {name: _ordered(tree[name]) for name in names}
    return tuple(map(_ordered, tree)) if isinstance(tree, tuple) else tree


def _is_of_layers(tree: Tree) -> bool:
    if _is_pair(tree):
        return all(map(_is_of_layers, _parts(tree)))
    return isinstance(tree, dict) and bool(tree) and all(map(_is_layer, tree.values()))


def _is_layer(tree: Tree) -> bool:
    if not isinstance(tree, dict):
        return False
    return bool(tree) and not any(isinstance(value, dict | tuple) for value in tree.values())


def _is_pair(tree: Tree) -> TypeGuard[dict[str, Tree]]:
    """Whether a tree is of an encoder, a decoder or both, each a model of its own for Axon.

    Others may be beside them where these are of layers: a codebook, the state of an optimizer.
    """
    parts = _parts(tree) if isinstance(tree, dict) else []
    if not parts or any(map(_is_layer, parts)):
        return False
    return len(parts) == len(tree) or all(map(_is_of_layers, parts))


def _parts(tree: dict[str, Tree]) -> list[Tree]:
    return [value for name, value in tree.items() if name in _PAIR]


def _with_model_states(tree: Tree) -> Node:
    if not _is_pair(tree):
        return _model_state(tree, ())
    return {
        name: _model_state(value, (name,)) if name in _PAIR else cast(Node, value)
        for name, value in tree.items()
    }


def _model_state(tree: Tree, path: tuple[str, ...]) -> ModelState:
    """What `Axon.ModelState.new` makes: all of it parameters, none of them frozen."""
    if not isinstance(tree, dict):
        raise InterchangeError(
            f"{place(path)} is no dictionary of layers, which Axon.ModelState needs; "
            "container='map' writes any tree."
        )
    return ModelState(cast(Node, tree), _parameters(tree, path), {}, {})


def _parameters(tree: dict[str, Tree], path: tuple[str, ...]) -> Term:
    """Names of arrays as a list, of layers as a dictionary, as Axon has them."""
    inner = {name: value for name, value in tree.items() if isinstance(value, dict)}
    if path and tree and not inner:
        return list(tree)
    if len(inner) != len(tree):
        raise InterchangeError(
            f"{place(path)} has layers and arrays side by side, which Axon.ModelState does not; "
            "container='map' writes any tree."
        )
    return {name: _parameters(value, (*path, name)) for name, value in inner.items()}


def _replaced(node: Node, given: Tree, path: tuple[str, ...]) -> Node:
    if isinstance(node, ModelState):
        return replace(node, data=_replaced(node.data, given, path))
    if isinstance(node, dict):
        had, has = set(node), set(given) if isinstance(given, dict) else set()
        if had != has or not isinstance(given, dict):
            names = ", ".join(sorted(had ^ has)) or "no dictionary"
            raise InterchangeError(
                f"{place(path)} must have the names of the file it is to be like; "
                f"in one of the two only: {names}."
            )
        return {name: _replaced(inner, given[name], (*path, name)) for name, inner in node.items()}
    if isinstance(node, tuple):
        if not isinstance(given, tuple) or len(given) != len(node):
            raise InterchangeError(f"{place(path)} must be a tuple of {len(node)}.")
        members = enumerate(zip(node, given, strict=True))
        return tuple(_replaced(inner, new, (*path, str(i))) for i, (inner, new) in members)
    return _same_kind(node, given, path)


def _same_kind(array: Array, given: Tree, path: tuple[str, ...]) -> Array:
    if isinstance(given, dict | tuple):
        raise InterchangeError(f"{place(path)} must be an array.")
    if (given.dtype, given.shape) != (array.dtype, array.shape):
        raise InterchangeError(
            f"{place(path)} is {given.dtype}{list(given.shape)}; the file that it is to be like "
            f"has {array.dtype}{list(array.shape)}."
        )
    return given
