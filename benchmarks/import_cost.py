"""What `import edifice_py` costs, as a ratio to `import jax, numpy`: whole processes, in turn."""

import subprocess
import sys
import time
from functools import partial

from interleaved import compare

ROUNDS = 15


def seconds(statement: str) -> float:
    """The time of a fresh interpreter that runs a statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Warm the file cache, then measure."""
    ours, theirs = "import edifice_py", "import jax, numpy"
    seconds(ours)
    print(
        f"{ours} / {theirs}: " + compare(partial(seconds, ours), partial(seconds, theirs), ROUNDS)
    )


if __name__ == "__main__":
    main()
