"""Ratios of times that are measured in turn, so that a machine that drifts moves both alike."""

import subprocess
from collections.abc import Callable, Sequence
from statistics import median


def compare(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> str:
    """Time two things A B A B ...; the medians in seconds, and the median and range of A / B."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    ratios = sorted(a / b for a, b in pairs)
    a, b = (median(times) for times in zip(*pairs, strict=True))
    return f"{a:.3g} s / {b:.3g} s = {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"


class Worker:
    """A process that times itself when it is told to, and sleeps otherwise.

    Args:
        command: a program that ends in `serve`.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __call__(self) -> float:
        """Seconds of one more run."""
        asked, answered = self._process.stdin, self._process.stdout
        if asked is None or answered is None:
            raise SystemExit("the worker has no pipes")
        asked.write("run\n")
        return float(answered.readline())

    def end(self) -> None:
        """Let it end."""
        self._process.communicate()


def serve(run: Callable[[], float]) -> None:
    """Answer each line on stdin with the seconds of a run."""
    while True:
        try:
            input()
        except EOFError:
            return
        print(run(), flush=True)
