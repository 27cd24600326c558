"""The house: which package may import which."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("edifice_py", "artifex_compat", "golden", "edifice_terminal")
FILES = [
    file
    for folder in (*PACKAGES, "tests", "examples", "benchmarks")
    for file in sorted((ROOT / folder).rglob("*.py"))
]
FORBIDDEN = {
    "edifice_py/core": ("flax", "optax", "artifex_compat", "golden", "edifice_py.random"),
    "edifice_py": ("flax", "optax", "artifex_compat", "golden", "scipy", "matplotlib"),
    "artifex_compat": ("golden", "optax", "scipy", "matplotlib"),
    "golden/reference": ("jax", "flax", "optax", "edifice_py", "artifex_compat"),
    "golden": ("tests",),
    "edifice_terminal": (
        *("jax", "numpy", "yaml", "rich", "flax", "optax"),
        *("edifice_py", "artifex_compat", "golden"),
    ),
}
ALLOWED = {
    "artifex_compat/commands": ("optax",),
    "artifex_compat/generative_models/training": ("optax",),
}
"""What is forbidden around them and not there: a command makes its own optimizer, and a step asks
whether a transformation of optax takes the loss."""
IMPLEMENTATIONS = ("jax", "flax", "optax", "edifice_py", "artifex_compat")


def imports(file):
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(module, package):
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_arrows_run_one_way(folder):
    for file in (ROOT / folder).rglob("*.py"):
        place = file.parent.relative_to(ROOT).as_posix()
        forbidden = set(FORBIDDEN[folder]) - set(ALLOWED.get(place, ()))
        for module in imports(file):
            wrong = [name for name in forbidden if within(module, name)]
            assert not wrong, f"{file.relative_to(ROOT)} imports {module}"


def test_only_adapters_import_an_implementation():
    for file in (ROOT / "golden").rglob("*.py"):
        if "adapters" not in file.parts:
            wrong = [m for m in imports(file) for name in IMPLEMENTATIONS if within(m, name)]
            assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


def test_core_stands_alone():
    for file in (ROOT / "edifice_py/core").rglob("*.py"):
        ours = [m for m in imports(file) if within(m, "edifice_py")]
        assert all(within(m, "edifice_py.core") for m in ours), file


def test_nothing_imports_tests():
    for file in FILES:
        if "tests" not in file.relative_to(ROOT).parts:
            assert not any(within(module, "tests") for module in imports(file))
