"""Quick compilation: a check asks for hundreds of small programs, and for each of them once.

They take longer to compile well than to run badly, and LLVM's part of compiling is nearly all that
XLA's levels differ in. At level 0 LLVM chooses instructions one by one, and so never joins a
multiplication and an addition, as it does at every other level: tanh would end at 0.99999982. With
neither of its quick ways of choosing (fast-isel, and global-isel on ARM) it looks at whole
expressions there too, and rounds as at level 1.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

_FLAGS = (
    "--xla_backend_optimization_level=0",
    "--xla_backend_extra_options=-fast-isel=false,-global-isel=false",
    "--xla_cpu_parallel_codegen_split_count=1",
)
_ALLOCATIONS = 1_000_000
"""Until Python looks for garbage: it walks all that JAX keeps of each program, which is none."""
_UNTIL_0_11 = "--xla_cpu_use_fusion_emitters=false"
"""A later JAX ends a process that sets it."""


def flags() -> str:
    """The flags of XLA, for the JAX that is installed."""
    major, minor, *_ = version("jax").split(".")
    early = (int(major), int(minor)) < (0, 11)
    return " ".join((*_FLAGS, _UNTIL_0_11) if early else _FLAGS)


def collect_rarely() -> None:
    """From now on, this process seldom looks for garbage."""
    gc.set_threshold(_ALLOCATIONS)


@contextmanager
def compilation() -> Iterator[None]:
    """XLA compiles quickly if it is started within; flags that its user has set stay instead.

    All that is compiled must be so within: JAX's cache on disk knows programs by the flags that are
    set when it looks.
    """
    thresholds = gc.get_threshold()
    collect_rarely()
    theirs = "XLA_FLAGS" in os.environ
    os.environ.setdefault("XLA_FLAGS", flags())
    try:
        yield
    finally:
        if not theirs:
            del os.environ["XLA_FLAGS"]
        gc.set_threshold(*thresholds)
