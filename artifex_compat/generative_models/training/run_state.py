"""Where a run stands, beside its arrays."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np


@dataclass
class RunState:
    """Where a run stands.

    Attributes:
        step: steps taken.
        epoch: epochs finished.
        batch: batches taken of the epoch that is not finished.
        last_epoch: the epoch that the run ends before.
        history: a row for each epoch.
        metrics: metrics of the batches of the epoch that is not finished, of JAX or numpy.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    last_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)

    def to_facts(self) -> dict[str, Any]:
        """All of it, as JSON can hold it: every float32 is a float64 of few digits."""
        metrics = [
            {name: np.atleast_1d(values).tolist() for name, values in part.items()}
            for part in self.metrics
        ]
        return {item.name: getattr(self, item.name) for item in fields(self)} | {"metrics": metrics}

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "RunState":
        """What `to_facts` gave."""
        metrics = [
            {name: np.array(values, np.float32) for name, values in part.items()}
            for part in facts["metrics"]
        ]
        return cls(**{item.name: facts[item.name] for item in fields(cls)} | {"metrics": metrics})

    def end_epoch(self, logs: dict[str, float]) -> None:
        """Note a finished epoch."""
        self.history.append({"epoch": self.epoch, "step": self.step, **logs})
        self.epoch, self.batch, self.metrics = self.epoch + 1, 0, []
