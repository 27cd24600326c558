"""Mutants of a file: each is its syntax tree with one thing broken."""

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitXor: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
FUNCTIONS = {
    "mean": "sum",
    "sum": "mean",
    "maximum": "minimum",
    "minimum": "maximum",
    "exp": "expm1",
    "expm1": "exp",
    "log": "log1p",
    "square": "abs",
    "abs": "square",
    "argmin": "argmax",
    "softplus": "sigmoid",
    "sigmoid": "softplus",
    "add": "subtract",
    "subtract": "add",
    "multiply": "divide",
    "stop_gradient": "asarray",
}
MODULES = {"stop_gradient": "jnp"}
Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Mutant:
    """A broken file, and what was broken where."""

    function: str
    line: int
    change: str
    original: ast.Module
    path: Path
    broken: ast.AST

    @property
    def tree(self) -> ast.Module:
        """The broken file."""
        mutated = copy.deepcopy(self.original)
        _replace(mutated, self.path, self.broken)
        return ast.fix_missing_locations(mutated)

    @property
    def name(self) -> str:
        """A name that does not move with the lines above it."""
        return f"{self.function}: {self.change}"


def mutants(source: str) -> Iterator[Mutant]:
    """All mutants of a source text: constants, defaults and bodies, not docstrings or checks."""
    tree = ast.parse(source)
    paths = dict(_paths(tree))
    constants = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    bodies: list[tuple[str, Sequence[ast.AST]]] = [("module", constants)]
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            defaults = [d for d in (*function.args.defaults, *function.args.kw_defaults) if d]
            bodies.append((function.name, [*defaults, *function.body]))
    for name, body in bodies:
        for node in _arithmetic(body):
            for change, broken in _broken(node):
                words = f"{ast.unparse(node)} -> {change}"
                yield Mutant(name, getattr(node, "lineno", 0), words, tree, paths[node], broken)


def _arithmetic(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a body that compute, those of functions in it left to them."""
    pending = list(body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, ast.FunctionDef) or _is_check(node):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield node
        pending = list(ast.iter_child_nodes(node)) + pending


def _is_check(node: ast.AST) -> bool:
    """Whether a statement refuses arguments: no formula, and not the golden cases' to notice."""
    return isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise)


def _broken(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        other = copy.deepcopy(node)
        other.op = OPERATORS[type(node.op)]()
        yield ast.unparse(other), other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield ast.unparse(node.operand), copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield repr(node.value + 1), ast.Constant(node.value + 1)
    elif isinstance(node, ast.Attribute) and node.attr in FUNCTIONS:
        other = copy.deepcopy(node)
        other.attr = FUNCTIONS[node.attr]
        if node.attr in MODULES:
            other.value = ast.Name(MODULES[node.attr], ast.Load())
        yield ast.unparse(other), other
    elif isinstance(node, ast.Compare):
        other = copy.deepcopy(node)
        other.ops = [ast.GtE() if isinstance(node.ops[0], ast.Lt) else ast.Lt()]
        yield ast.unparse(other), other
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
        other = copy.deepcopy(node)
        names = other.targets[0]
        if isinstance(names, ast.Tuple):
            names.elts = names.elts[::-1]
        yield ast.unparse(other).split("\n")[0], other
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        other = copy.deepcopy(node)
        if isinstance(other.value, ast.Tuple):
            other.value.elts = other.value.elts[::-1]
        yield ast.unparse(other), other


def _paths(node: ast.AST, path: Path = ()) -> Iterator[tuple[ast.AST, Path]]:
    """Each node of a tree below its root, with the fields and indices that lead to it."""
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                here = (*path, (field, index))
                yield child, here
                yield from _paths(child, here)


def _replace(tree: ast.AST, path: Path, new: ast.AST) -> None:
    for field, index in path[:-1]:
        value = getattr(tree, field)
        tree = value if index is None else value[index]
    field, index = path[-1]
    if index is None:
        setattr(tree, field, new)
    else:
        getattr(tree, field)[index] = new
