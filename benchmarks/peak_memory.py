"""The peak memory of an epoch, beside that of the scan written by hand.

Each side is a process of its own, and so is a third that only imports, makes the data and stops:
what an epoch takes is what is above that.
"""

import resource
import subprocess
import sys
from collections.abc import Callable

from training import hand_epoch, ours_epoch
from workloads import Workload

LARGE = Workload((784,), (2048, 2048), 64, 128, 64)
MEGABYTE = 1024


def nothing(workload: Workload) -> Callable[[], None]:
    """The data, and no training."""
    data = workload.data()
    return lambda: data.fill(0)


SIDES = {"nothing": nothing, "ours": ours_epoch, "by hand": hand_epoch}


def peak(side: str) -> float:
    """Megabytes of a process that takes three epochs."""
    command = [sys.executable, __file__, side]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Be one side, or compare all."""
    if len(sys.argv) > 1:
        run = SIDES[sys.argv[1]](LARGE)
        for _ in range(3):
            run()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE)
        return
    base, ours, theirs = (peak(side) for side in SIDES)
    print(f"an epoch takes {ours - base:.0f} MB, by hand {theirs - base:.0f} MB: ", end="")
    print(f"{(ours - base) / (theirs - base):.2f}, beside {base:.0f} MB before it")


if __name__ == "__main__":
    main()
