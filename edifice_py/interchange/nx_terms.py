"""The terms of `Nx.serialize`: tensors and containers, from and to trees of arrays.

A tensor is `{:t, shape, {kind, bits}, names, vectorized_axes, offset, size}`, a container
`{module, [{key, term}], metadata}`; the numbers of all tensors stand one after another behind the
term.

Reference:
    Nx 0.10.0, Nx.serialize/2 and Nx.Container; Axon 0.8.0, Axon.ModelState.
"""

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from edifice_py.interchange.arrays import (
    BY_DTYPE,
    BY_NX,
    MOST_AXES,
    Array,
    Endianness,
    Type,
    from_bytes,
    readable,
)
from edifice_py.interchange.errors import InterchangeError, place, shortened
from edifice_py.interchange.external_term import Atom, Term
from edifice_py.interchange.trees import Tree

MAP = Atom("Elixir.Nx.Container.Map")
TUPLE = Atom("Elixir.Nx.Container.Tuple")
LIST = Atom("Elixir.Nx.Container.List")
MODEL_STATE = Atom("Elixir.Nx.Container.Axon.ModelState")
KEPT = ("parameters", "state", "frozen_parameters")

_OK = Atom("ok")
_NIL = Atom("nil")
_TENSOR = Atom("t")
_MOST_BYTES = 2**63 - 1


@dataclass(frozen=True)
class ModelState:
    """An `Axon.ModelState`.

    Attributes:
        data: the tree of its arrays.
        parameters: which of them are parameters: nested dictionaries down to a list of names.
        state: which are state, like running statistics.
        frozen_parameters: which of them training leaves alone.
    """

    data: "Node"
    parameters: Term
    state: Term
    frozen_parameters: Term


Node: TypeAlias = "Array | ModelState | dict[str, Node] | tuple[Node, ...]"
"""What a term holds: a tree, parts of which may be an `Axon.ModelState`."""


def plain(node: Node) -> Tree:
    """The tree of arrays alone."""
    if isinstance(node, ModelState):
        return plain(node.data)
    if isinstance(node, dict):
        return {name: plain(value) for name, value in node.items()}
    return tuple(map(plain, node)) if isinstance(node, tuple) else node


class Reading:
    """Reads a term, and the tensors from the buffer behind it, each where the one before ends."""

    def __init__(self, buffer: bytes, start: int, endianness: Endianness) -> None:
        self._buffer = buffer
        self._start = start
        self._at = start
        self._endianness = endianness

    def tree(self, term: Term) -> Node:
        """The whole of it.

        Raises:
            InterchangeError: it is no tensor and no container, or the buffer is not its own.
        """
        node = self._node(term, ())
        left = len(self._buffer) - self._at
        if left:
            raise InterchangeError(f"{left} bytes follow the last tensor.")
        return node

    def _node(self, term: Term, path: tuple[str, ...]) -> Node:
        kind = term[0] if isinstance(term, tuple) and term else None
        if isinstance(kind, Atom) and isinstance(term, tuple):
            if kind == _TENSOR and len(term) == 7:
                return self._tensor(term, path)
            if len(term) == 3:
                return self._container(term, path)
        raise InterchangeError(
            f"{place(path)} is no tensor and no container of Nx, but {shortened(term)}."
        )

    def _container(self, term: tuple[Term, ...], path: tuple[str, ...]) -> Node:
        module, pairs, metadata = term
        members = _pairs(pairs, path)
        if module == MODEL_STATE:
            return self._model_state(members, metadata, path)
        if module not in (MAP, TUPLE, LIST):
            raise InterchangeError(
                f"{place(path)} is a container {shortened(str(module))}, which is not read; "
                "maps, tuples, lists and Axon.ModelState are."
            )
        if metadata != _OK:
            raise InterchangeError(f"{place(path)} is a container with {shortened(metadata)}.")
        if module == MAP:
            return self._map(members, path)
        if any(name != [] for name, _ in members):
            raise InterchangeError(f"{place(path)} is a tuple, but its members have names.")
        return tuple(self._node(value, (*path, str(i))) for i, (_, value) in enumerate(members))

    def _map(self, members: list[tuple[Term, Term]], path: tuple[str, ...]) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for name, value in members:
            if not isinstance(name, str):
                raise InterchangeError(
                    f"the names in {place(path)} must be strings or atoms, not {shortened(name)}."
                )
            if name in found:
                raise InterchangeError(f"{place((*path, name))} stands there twice.")
            found[name] = self._node(value, (*path, name))
        return found

    def _model_state(
        self, members: list[tuple[Term, Term]], metadata: Term, path: tuple[str, ...]
    ) -> ModelState:
        kept = {str(name): value for name, value in _pairs(metadata, path)}
        if kept.keys() != set(KEPT) or [name for name, _ in members] != ["data"]:
            raise InterchangeError(
                f"{place(path)} is an Axon.ModelState without data, {', '.join(KEPT)}."
            )
        return ModelState(self._node(members[0][1], path), *(kept[name] for name in KEPT))

    def _tensor(self, term: tuple[Term, ...], path: tuple[str, ...]) -> Array:
        _, shape, type_, names, axes, offset, size = term
        found = _type(type_, path)
        extents = _shape(shape, found, path)
        if axes != []:
            raise InterchangeError(
                f"{place(path)} has vectorized axes, which are not read; Nx.devectorize it before "
                "Nx.serialize."
            )
        if not isinstance(names, list) or len(names) != len(extents):
            raise InterchangeError(f"{place(path)} has names for other axes than it has.")
        nbytes = prod(extents) * found.bits // 8
        if size != nbytes:
            raise InterchangeError(
                f"{place(path)} is {found}{shortened(list(extents))}, which is "
                f"{shortened(nbytes)} bytes, not {shortened(size)}."
            )
        if offset != self._at - self._start:
            raise InterchangeError(
                f"{place(path)} begins at byte {shortened(offset)} of the numbers, where byte "
                f"{self._at - self._start} is due."
            )
        missing = self._at + nbytes - len(self._buffer)
        if missing > 0:
            raise InterchangeError(
                f"the file ends {missing} bytes before the end of {place(path)}."
            )
        array = from_bytes(self._buffer, self._at, found, extents, self._endianness)
        self._at += nbytes
        return array


def term_of(node: Node) -> Term:
    """The term of a tree, whose numbers stand in the order of the tree's arrays."""
    return _Writing().term(node)


class _Writing:
    """Turns a tree into a term, and counts the bytes of its tensors."""

    def __init__(self) -> None:
        self._at = 0

    def term(self, node: Node) -> Term:
        """The term of a part of the tree."""
        if isinstance(node, ModelState):
            kept: list[Term] = [(Atom(name), getattr(node, name)) for name in KEPT]
            return (MODEL_STATE, [(Atom("data"), self.term(node.data))], kept)
        if isinstance(node, dict):
            pairs: list[Term] = [(name, self.term(value)) for name, value in node.items()]
            return (MAP, pairs, _OK)
        if isinstance(node, tuple):
            members: list[Term] = [([], self.term(value)) for value in node]
            return (TUPLE, members, _OK)
        type_ = BY_DTYPE[node.dtype]
        start, self._at = self._at, self._at + node.nbytes
        names: list[Term] = [_NIL] * node.ndim
        kind = (Atom(type_.kind), type_.bits)
        return (_TENSOR, node.shape, kind, names, [], start, node.nbytes)


def _pairs(value: Term, path: tuple[str, ...]) -> list[tuple[Term, Term]]:
    pairs = value if isinstance(value, list) else [value]
    found = [pair for pair in pairs if isinstance(pair, tuple) and len(pair) == 2]
    if len(found) < len(pairs):
        raise InterchangeError(f"{place(path)} has members that are no pairs.")
    return [(pair[0], pair[1]) for pair in found]


def _shape(value: Term, type_: Type, path: tuple[str, ...]) -> tuple[int, ...]:
    if isinstance(value, tuple) and len(value) <= MOST_AXES:
        extents = tuple(extent for extent in value if isinstance(extent, int) and extent >= 0)
        # numpy has no array without elements either whose other axes would be too much.
        span = prod(max(extent, 1) for extent in extents) * type_.bits // 8
        if len(extents) == len(value) and span <= _MOST_BYTES:
            return extents
    raise InterchangeError(f"{place(path)} has the shape {shortened(value)}.")


def _type(value: Term, path: tuple[str, ...]) -> Type:
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int):
        kind, bits = value
        if isinstance(kind, Atom):
            return readable(BY_NX.get((kind, bits)), f"{kind}{bits}", path)
    return readable(None, value, path)
