"""An import brings only what it needs, and leaves JAX as it is."""

import json
import subprocess
import sys

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
