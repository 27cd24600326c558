"""Ending a run at the very batch where a number is not finite."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from artifex_compat.generative_models.training.callbacks.base import Callback


class NonFiniteError(FloatingPointError):
    """A loss, a term of it, or what a step would write is not finite."""


class NonFiniteGuard(Callback):
    """Looks at every batch, and so runs batch by batch.

    Without it the trainer looks after each epoch. Model and optimizer are in either case those of
    the last good step.
    """

    def on_batch_end(self, trainer: Any, batch: int, logs: dict[str, Any]) -> None:  # noqa: ARG002
        """Look at the metrics.

        Raises:
            NonFiniteError: one is not finite.
        """
        trainer.check({name: np.atleast_1d(value) for name, value in jax.device_get(logs).items()})


def non_finite(metrics: Mapping[str, Any], parts: Sequence[str], step: int) -> NonFiniteError:
    """The error of a step that was not finite.

    Args:
        metrics: of the step; its terms are named before the loss itself.
        parts: what else was not finite, named where the metrics are finite.
        step: its number.
    """
    broken = {name: float(value) for name, value in metrics.items() if not math.isfinite(value)}
    terms = [name for name in broken if name not in ("loss", "total_loss")] or list(broken)
    words = [f"{name} is {broken[name]}" for name in terms]
    if not words:
        named = "gradient" if "gradient" in parts else " and ".join(parts)
        words = [f"the loss is finite, but not the {named} that it leads to"]
    return NonFiniteError(
        f"training stopped at step {step}, where {', '.join(words)}; "
        "model and optimizer are those of the step before."
    )
