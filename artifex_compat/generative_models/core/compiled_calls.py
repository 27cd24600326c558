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
from threading import RLock
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary, WeakValueDictionary

import jax
import numpy as np
from flax import nnx
from flax.nnx.tracers import current_jax_trace

from edifice_py.checks import owned

Method = TypeVar("Method", bound=Callable[..., Any])
Values = list[jax.Array]

_LIBRARIES = ("artifex_compat", "flax", "jax", "jaxlib", "optax", "numpy", "builtins")
_OF_LAYERS = ("artifex_compat.", "flax.nnx.nn.")
_OUTSIDE_OF_TRANSFORMATIONS = current_jax_trace()  # type: ignore[no-untyped-call]
_UNTRACEABLE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.UnexpectedTracerError,
)
_KEPT_PROGRAMS = 64  # of one structure: a program for each method and its static arguments
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


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["leaves"], meta_fields=["tree", "positions"]
)
@dataclass
class Result:
    """What a call returns: arrays that stand in it twice, under two names, are one."""

    leaves: Values
    tree: Any
    positions: tuple[int, ...]

    @classmethod
    def of(cls, result: Any) -> "Result":
        """A result whose dictionaries keep their order, which JAX sorts in a plain one."""
        leaves, tree = jax.tree.flatten(_in_order(result))
        unique = {id(leaf): leaf for leaf in leaves}
        order = {identity: position for position, identity in enumerate(unique)}
        return cls(list(unique.values()), tree, tuple(order[id(leaf)] for leaf in leaves))

    def restored(self) -> Any:
        """The result as it was."""
        leaves = [self.leaves[position] for position in self.positions]
        return _in_dicts(jax.tree.unflatten(self.tree, leaves))


class Structure:
    """The graph of a module without its arrays, and the programs compiled for it.

    Modules of the same structure share it, and no arrays.
    """

    def __init__(self, graphdef: Any, tree: Any) -> None:
        self.graphdef, self._tree = graphdef, tree
        self.programs: dict[Hashable, Any] = {}
        self.lock = RLock()  # threads that read one count of a stream would draw the same

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
        content: Any
        if isinstance(value, nnx.Pytree):
            known, content = self._record_classes(type(value), seen), vars(value)
        elif isinstance(value, dict | list | tuple):
            known, content = True, value
        else:
            return not callable(value) or _is_library(value)
        if isinstance(content, dict):
            self._names.append((content, list(content)))
            content = content.values()
        self._attributes.append((content, list(content)))
        return all([known, *(self._record(item, seen) for item in content)])

    def _record_classes(self, of: type, seen: set[int]) -> bool:
        """Remember the methods of a class, which may be patched; whether all are a library's."""
        bases = [base for base in of.__mro__ if base.__module__.startswith(_OF_LAYERS)]
        for base in bases:
            if id(base) not in seen:
                seen.add(id(base))
                self._attributes.append((vars(base).values(), list(vars(base).values())))
        methods = (value for base in bases for value in vars(base).values() if callable(value))
        return _is_library(of) and all(map(_is_library, methods))

    def holds(self) -> bool:
        """Whether the module still has these attributes, and its classes their methods."""
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
    now = current_jax_trace()  # type: ignore[no-untyped-call]
    return bool(now != _OUTSIDE_OF_TRANSFORMATIONS)


def run_compiled(
    function: Callable[..., Any],
    modules: Sequence[nnx.Pytree],
    fixed: Mapping[str, Hashable],
    free: Mapping[str, Any],
) -> Any:
    """Run `function(*modules, **fixed, **free)` as one compiled program, which is kept.

    Args:
        function: what is compiled; its result is a tree of arrays.
        modules: their arrays are read and written.
        fixed: arguments that are part of the program.
        free: trees of arrays and numbers.

    Raises:
        CannotCompileError: the modules have code of a user's, share variables or change their
            structure, an argument is no tree of arrays, the code cannot be traced or raises.
    """
    if not all(isinstance(module, nnx.Pytree) for module in modules):
        raise CannotCompileError
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
            if len(programs) > _KEPT_PROGRAMS:
                programs.pop(next(iter(programs)), None)  # of threads, one removes it
    except TypeError as error:  # an argument that does not hash
        raise CannotCompileError from error
    try:
        with structures[0].lock:
            result, changes = program([snapshot.read() for snapshot in snapshots], arguments)
            for snapshot, changed in zip(snapshots, changes, strict=True):
                snapshot.write(changed)
    except (CannotCompileError, *_UNTRACEABLE) as error:
        programs[key] = _refuse
        raise CannotCompileError from error
    except Exception as error:  # as it is written it raises the same, without JAX's notes
        raise CannotCompileError from error
    return result.restored()


def _program(
    function: Callable[..., Any], structures: list[Structure], fixed: Mapping[str, Any]
) -> Any:
    def run(values: list[Values], arguments: dict[str, Any]) -> Any:
        modules = [s.merge(of_one) for s, of_one in zip(structures, values, strict=True)]
        result = function(*modules, **fixed, **arguments)
        changes = [s.changes(*both) for s, *both in zip(structures, modules, values, strict=True)]
        return Result.of(result), changes

    return jax.jit(run)


def _in_order(tree: Any) -> Any:
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
        return owned(leaf)
    if isinstance(leaf, jax.Array | np.generic | int | float):
        return leaf
    raise CannotCompileError


def _is_module(node: Any) -> bool:
    return isinstance(node, nnx.Pytree)


def _is_library(code: Any) -> bool:
    module = getattr(code, "__module__", None) or type(code).__module__
    return module.partition(".")[0] in _LIBRARIES


def compiled_call(*static: str) -> Callable[[Method], Method]:
    """Let a method of a model run as one compiled program.

    Names, flags and None are part of the program, as `static` arguments are; all others are arrays
    and numbers, whose values `check_call` of the model sees before.

    Args:
        *static: names of arguments whose values are part of the program.
    """

    def decorate(method: Method) -> Method:
        code = inspect.unwrap(method).__code__
        names = code.co_varnames[1 : code.co_argcount]

        def with_rngs(model: Any, rngs: nnx.Rngs, **arguments: Any) -> Any:
            return method(model, rngs=rngs, **arguments)

        def with_own_rngs(model: Any, **arguments: Any) -> Any:
            return method(model, rngs=model.rngs, **arguments)

        @functools.wraps(method)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            arguments = (*zip(names, args, strict=False), *kwargs.items())
            model.check_call(dict(arguments))
            if is_transformed() or not _is_library(type(model)):
                return method(model, *args, **kwargs)
            fixed: dict[str, Any] = {}
            free: dict[str, Any] = {}
            for name, value in arguments:
                is_fixed = value is None or isinstance(value, str | bool) or name in static
                (fixed if is_fixed else free)[name] = value
            function: Callable[..., Any] = method
            modules = [model]
            rngs = free.pop("rngs", None)
            if rngs is not None and rngs is getattr(model, "rngs", None):
                function = with_own_rngs
            elif rngs is not None:
                function = with_rngs
                modules.append(rngs)
            try:
                return run_compiled(function, modules, fixed, free)
            except CannotCompileError:
                pass
            return method(model, *args, **kwargs)

        return cast(Method, call)

    return decorate
