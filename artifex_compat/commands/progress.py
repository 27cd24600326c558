"""How far a run is, on standard error: a bar in a terminal, a line now and then elsewhere."""

import sys
from importlib.util import find_spec
from typing import Any

from artifex_compat.generative_models.training.callbacks import Callback, ProgressBar
from artifex_compat.generative_models.training.callbacks.progress import described

METRICS = ("loss", "recon_loss", "kl_loss", "perplexity", "val_loss")
LINES = 10
"""About so many for a whole run."""


class ProgressLines(Callback):
    """Writes a line for every tenth of a run."""

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """Write it, where it is time."""
        number, last = epoch + 1, trainer.state.last_epoch
        if number % max(1, last // LINES) == 0 or number == last:
            words = f"epoch {number}/{last}  {described(logs, METRICS)}"
            print(words, file=sys.stderr, flush=True)


def progress() -> Callback:
    """A bar, if there is a terminal, and rich to draw it; lines, if not."""
    terminal = sys.__stderr__  # a bar steers it, as the stream of messages cannot
    if terminal is None or terminal.closed or not terminal.isatty() or find_spec("rich") is None:
        return ProgressLines()
    from rich.console import Console

    return ProgressBar(METRICS, Console(file=terminal))
