"""An import brings only what it needs, and leaves JAX as it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPORT = """
import json, sys
import jax, numpy
before = dict(jax.config.values)
import {module}
changed = [name for name, value in jax.config.values.items() if before.get(name) != value]
from jax._src import xla_bridge
started = bool(xla_bridge._backends)
print(json.dumps({{"modules": sorted(sys.modules), "changed": changed, "started": started}}))
"""

FIRST = """
import gc, importlib, os, sys, traceback
import flax.nnx, jax, numpy, optax, yaml
gc.disable()
imported = set()
for module in sys.argv[1:]:
    if module in imported:
        continue
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        with open(read) as pipe:
            imported |= {name for name in pipe.read().split() if name.rpartition(".")[0] == module}
        os.wait()
        continue
    try:
        importlib.import_module(module)
        with open(write, "w") as pipe:
            print(*sys.modules, file=pipe)
    except BaseException:
        print(module, traceback.format_exc(), flush=True)
    os._exit(0)
"""
"""Imports each module first, in a fork of a process that has the libraries they need. A module that
its package imports has no fork of its own: the package is imported before it in any case."""
ROOT = Path(__file__).parent.parent
MODULES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("edifice_py", "artifex_compat", "golden")
    for file in sorted((ROOT / package).rglob("*.py"))
    if file.stem != "__main__"
]


def report(module):
    run = subprocess.run(
        [sys.executable, "-c", REPORT.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def test_edifice_py_imports_jax_and_numpy_and_changes_nothing():
    found = report("edifice_py")
    unwanted = {"flax", "optax", "orbax", "yaml", "golden", "artifex_compat", "matplotlib"}
    assert unwanted.isdisjoint(found["modules"])
    assert found["changed"] == []
    assert not found["started"]


def test_the_golden_command_line_imports_no_implementation():
    found = report("golden.__main__")
    assert {"edifice_py", "optax", "flax"}.isdisjoint(found["modules"])
    assert found["changed"] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each module has a fork of its own")
def test_every_module_can_be_the_first_import():
    assert "artifex_compat.generative_models.modalities.image" in MODULES
    run = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", FIRST, *MODULES]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == ""
