"""The strictest JAX, compiled quickly, and a cache of it that all processes of a run share."""

import os
from pathlib import Path

import jax

from golden import quick

# No promotion of dtypes or ranks that a formula does not ask for.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

quick.collect_rarely()

# Most of the suite's time is XLA's: each worker, and each program that a test starts, would compile
# the same functions again.
_CACHE = {
    "jax_compilation_cache_dir": str(Path(__file__).parents[1] / ".pytest_cache" / "jax"),
    "jax_persistent_cache_min_compile_time_secs": 0.02,
}
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {quick.flags()}".strip()
for _name, _value in _CACHE.items():
    os.environ.setdefault(_name.upper(), str(_value))
    jax.config.update(_name, type(_value)(os.environ[_name.upper()]))
