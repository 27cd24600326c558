"""Calls on modules as compiled programs, which are kept between calls.

A call outside of any JAX transformation reads the arrays of its modules, runs one program and
writes back what changed, such as the count of a random stream. Inside `jit`, `grad` or `vmap`, and
for modules with code of a user's, a function runs as it is written.
"""

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import jax
import numpy as np
from flax import nnx
from jax.extend.core import get_opaque_trace_state

from edifice_py.checks import native

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=nnx.Module)
Values = list[jax.Array]

_LIBRARIES = ("artifex_compat", "flax", "jax", "jaxlib", "optax", "numpy", "builtins")
_OUTSIDE_OF_TRANSFORMATIONS = get_opaque_trace_state(convention="nnx")
_UNTRACEABLE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.UnexpectedTracerError,
)
_KEPT_SNAPSHOTS = 4  # of a module that goes to and fro, as between training and inference


class CannotCompileError(Exception):
    """A function cannot be compiled for these modules and arguments: run it as it is written."""


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["positions"]
)
@dataclass
class Changes:
    """Arrays that a call changed, and their positions among all of a module's."""

    positions: tuple[int, ...]
    values: Values


class Structure:
    """The graph of a module without its arrays, and the programs compiled for it.

    Modules of the same structure share it, and no arrays.
    """

    def __init__(self, graphdef: Any, tree: Any) -> None:
        self.graphdef, self._tree = graphdef, tree
        self.programs: dict[Hashable, Any] = {}

    def merge(self, values: Values) -> Any:
        """A module with these arrays."""
        return nnx.merge(self.graphdef, jax.tree.unflatten(self._tree, values))

    def changes(self, module: Any, values: Values) -> Changes:
        """What a call changed in a module that was made from `values`."""
        graphdef, state = nnx.split(module)
        if graphdef != self.graphdef:
            raise CannotCompileError
        after = jax.tree.leaves(state)
        positions = tuple(i for i, value in enumerate(values) if after[i] is not value)
        return Changes(positions, [after[i] for i in positions])


_STRUCTURES: WeakValueDictionary[Any, Structure] = WeakValueDictionary()


class Snapshot:
    """The variables of a module, and its attributes at one time.

    Attributes:
        structure: None where the module has code of a user's, arrays outside of variables, or
            variables that wait for theirs.
        identities: those of its variables.
    """

    structure: Structure | None

    def __init__(self, module: nnx.Pytree) -> None:
        graphdef, state = nnx.split(module)
        live = {path: v for path, v in nnx.iter_graph(module) if isinstance(v, nnx.Variable)}
        paths = [path for path, _ in nnx.to_flat_state(state)]
        self._variables = [live[path] for path in paths if path in live]
        self.identities = frozenset(map(id, self._variables))
        self._attributes: list[tuple[Collection[Any], list[Any]]] = []
        self._names: list[tuple[dict[Any, Any], list[Any]]] = []
        self.structure = None
        have_arrays = all(isinstance(value, jax.Array | np.ndarray) for value in self.read())
        known = self._record(module, set())
        if known and have_arrays and len(self._variables) == len(paths):
            try:
                self.structure = _STRUCTURES.get(graphdef)
                if self.structure is None:
                    self.structure = Structure(graphdef, jax.tree.structure(state))
                    _STRUCTURES[graphdef] = self.structure
            except TypeError:  # an attribute that does not hash
                self.structure = None

    def _record(self, value: Any, seen: set[int]) -> bool:
        """Remember all attributes below a value; whether all of its code is a library's."""
        if isinstance(value, nnx.Variable) or id(value) in seen:
            return True
        seen.add(id(value))
        if isinstance(value, nnx.Pytree):
            known, content = _is_library(type(value)), vars(value)
        elif isinstance(value, dict | list | tuple):
            known, content = True, value
        else:
            return not callable(value) or _is_library(value)
        if isinstance(content, dict):
            self._names.append((content, list(content)))
            content = content.values()
        self._attributes.append((content, list(content)))
        return all([known, *(self._record(item, seen) for item in content)])

    def holds(self) -> bool:
        """Whether the module still has these attributes."""
        for live, saved in self._attributes:
            if len(live) != len(saved) or not all(map(is_, live, saved)):
                return False
        return all(list(live) == saved for live, saved in self._names)

    def read(self) -> Values:
        """The arrays as they are."""
        return [variable.get_raw_value() for variable in self._variables]

    def write(self, changes: Changes) -> None:
        """Put the arrays that a call changed into the module."""
        for position, value in zip(changes.positions, changes.values, strict=True):
            self._variables[position].set_raw_value(value)


_SNAPSHOTS: WeakKeyDictionary[nnx.Pytree, list[Snapshot]] = WeakKeyDictionary()


def is_transformed() -> bool:
    """Whether this runs inside of a JAX transformation."""
    return get_opaque_trace_state(convention="nnx") != _OUTSIDE_OF_TRANSFORMATIONS


def run_compiled(
    function: Callable[..., R],
    modules: Sequence[nnx.Pytree],
    fixed: Mapping[str, Hashable],
    free: Mapping[str, Any],
) -> R:
    """Run `function(*modules, **fixed, **free)` as one compiled program, which is kept.

    Args:
        function: what is compiled; its result is a tree of arrays.
        modules: their arrays are read and written.
        fixed: arguments that are part of the program.
        free: trees of arrays and numbers.

    Raises:
        CannotCompileError: the modules have code of a user's, share variables or change their
            structure, an argument is no tree of arrays, or the code cannot be traced.
    """
    arguments = jax.tree.map(_argument, dict(free), is_leaf=_is_module)
    snapshots = [_snapshot(module) for module in modules]
    structures = [snapshot.structure for snapshot in snapshots if snapshot.structure is not None]
    count = sum(len(snapshot.identities) for snapshot in snapshots)
    if len(structures) < len(snapshots) or count > len(
        frozenset().union(*(snapshot.identities for snapshot in snapshots))
    ):
        raise CannotCompileError
    programs, key = structures[0].programs, (function, *structures[1:], *fixed.items())
    try:
        program = programs.get(key)
        if program is None:
            program = programs[key] = _program(function, structures, fixed)
    except TypeError as error:  # an argument that does not hash
        raise CannotCompileError from error
    try:
        result, changes = program([snapshot.read() for snapshot in snapshots], arguments)
    except (CannotCompileError, *_UNTRACEABLE) as error:
        programs[key] = _refuse
        raise CannotCompileError from error
    for snapshot, changed in zip(snapshots, changes, strict=True):
        snapshot.write(changed)
    return _in_dicts(result)


def _program(
    function: Callable[..., Any], structures: list[Structure], fixed: Mapping[str, Any]
) -> Any:
    def run(values: list[Values], arguments: dict[str, Any]) -> Any:
        modules = [s.merge(of_one) for s, of_one in zip(structures, values, strict=True)]
        result = function(*modules, **fixed, **arguments)
        changes = [s.changes(*both) for s, *both in zip(structures, modules, values, strict=True)]
        return _in_order(result), changes

    return jax.jit(run)


def _in_order(tree: Any) -> Any:
    """A result whose dictionaries keep their order, which JAX sorts in a plain one."""
    if isinstance(tree, dict):
        return OrderedDict((name, _in_order(value)) for name, value in tree.items())
    return tuple(map(_in_order, tree)) if type(tree) is tuple else tree


def _in_dicts(tree: Any) -> Any:
    if isinstance(tree, OrderedDict):
        return {name: _in_dicts(value) for name, value in tree.items()}
    return tuple(map(_in_dicts, tree)) if type(tree) is tuple else tree


def _refuse(*_: Any) -> Any:
    raise CannotCompileError


def _snapshot(module: nnx.Pytree) -> Snapshot:
    known = _SNAPSHOTS.setdefault(module, [])
    for snapshot in known:
        if snapshot.holds():
            return snapshot
    known.insert(0, Snapshot(module))
    del known[_KEPT_SNAPSHOTS:]
    return known[0]


def _argument(leaf: Any) -> Any:
    """An argument of a program: an array that the caller cannot change, or a number."""
    if isinstance(leaf, np.ndarray):
        return native(leaf).copy()
    if isinstance(leaf, jax.Array | np.generic | int | float):
        return leaf
    raise CannotCompileError


def _is_module(node: Any) -> bool:
    return isinstance(node, nnx.Pytree)


def _is_library(code: Any) -> bool:
    module = getattr(code, "__module__", None) or type(code).__module__
    return module.partition(".")[0] in _LIBRARIES


class Checked(Protocol):
    """A model that checks the values of a call, which a compiled program does not see."""

    def check_call(self, arguments: Mapping[str, Any]) -> None:
        """Raise where an argument holds a value that is not allowed."""


def compiled_call(
    *static: str,
) -> Callable[[Callable[Concatenate[M, P], R]], Callable[Concatenate[M, P], R]]:
    """Let a method of a model run as one compiled program.

    Names, flags and None are part of the program, as `static` arguments are; all others are arrays
    and numbers, whose values `check_call` of the model sees before.

    Args:
        *static: names of arguments whose values are part of the program.
    """

    def decorate(method: Callable[Concatenate[M, P], R]) -> Callable[Concatenate[M, P], R]:
        code = inspect.unwrap(method).__code__
        names = code.co_varnames[1 : code.co_argcount]

        def with_rngs(model: M, rngs: nnx.Rngs, **arguments: Any) -> R:
            return method(model, rngs=rngs, **arguments)  # type: ignore[call-arg,arg-type]

        def with_own_rngs(model: Any, **arguments: Any) -> R:
            return method(model, rngs=model.rngs, **arguments)  # type: ignore[call-arg,arg-type]

        @functools.wraps(method)
        def call(model: M, *args: P.args, **kwargs: P.kwargs) -> R:
            if is_transformed() or not _is_library(type(model)):
                return method(model, *args, **kwargs)
            arguments = (*zip(names, args, strict=False), *kwargs.items())
            model.check_call(dict(arguments))
            fixed: dict[str, Any] = {}
            free: dict[str, Any] = {}
            for name, value in arguments:
                is_fixed = value is None or isinstance(value, str | bool) or name in static
                (fixed if is_fixed else free)[name] = value
            function, modules = method, (model,)
            rngs = free.pop("rngs", None)
            if rngs is not None and rngs is getattr(model, "rngs", None):
                function = with_own_rngs
            elif rngs is not None:
                function, modules = with_rngs, (model, rngs)
            try:
                return run_compiled(function, modules, fixed, free)
            except CannotCompileError:
                return method(model, *args, **kwargs)

        return call

    return decorate
