"""What an import costs, as a ratio to those it stands on: whole processes, in turn."""

import subprocess
import sys
import time
from functools import partial

from interleaved import compare

ROUNDS = 15
PAIRS = (
    ("import edifice_py", "import jax, numpy"),
    (
        "import artifex_compat.generative_models.models.vae",
        "import jax, flax.nnx, optax",
    ),
)


def seconds(statement: str) -> float:
    """The time of a fresh interpreter that runs a statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Warm the file cache, then measure."""
    for ours, theirs in PAIRS:
        seconds(ours)
        seconds(theirs)
        ratio = compare(partial(seconds, ours), partial(seconds, theirs), ROUNDS)
        print(f"{ours} / {theirs}: {ratio}")


if __name__ == "__main__":
    main()
