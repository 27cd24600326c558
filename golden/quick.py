"""Quick compilation: a check asks for thousands of small programs, and for each of them once.

They take longer to compile well than to run badly. With these flags compiling takes a third of the
time, and gives the same bits where bits are asked for, which it does not at XLA's level 0.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

_FLAGS = ("--xla_backend_optimization_level=1", "--xla_cpu_parallel_codegen_split_count=1")
_UNTIL_0_11 = "--xla_cpu_use_fusion_emitters=false"
"""A later JAX ends a process that sets it."""


def flags() -> str:
    """The flags of XLA, for the JAX that is installed."""
    major, minor, *_ = version("jax").split(".")
    early = (int(major), int(minor)) < (0, 11)
    return " ".join((*_FLAGS, _UNTIL_0_11) if early else _FLAGS)


@contextmanager
def compilation() -> Iterator[None]:
    """XLA compiles quickly if it is started within; flags that its user has set stay instead.

    All that is compiled must be so within: JAX's cache on disk knows programs by the flags that are
    set when it looks.
    """
    if "XLA_FLAGS" in os.environ:
        yield
        return
    os.environ["XLA_FLAGS"] = flags()
    try:
        yield
    finally:
        del os.environ["XLA_FLAGS"]
