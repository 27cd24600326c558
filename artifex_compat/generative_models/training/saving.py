"""Saving all of a run, and going back to what was saved."""

from pathlib import Path

import jax
from flax import nnx

from artifex_compat.generative_models.training.callbacks.events import Events
from artifex_compat.generative_models.training.checkpoint_files import (
    MODEL,
    parts_of,
    write_parts,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointStore, Lineage
from artifex_compat.generative_models.training.functional import Functional
from artifex_compat.generative_models.training.run_state import RunState


class Saving:
    """Writes the arrays, counts and callbacks of a run as checkpoints, and reads them.

    Args:
        training: the arrays of model and optimizer.
        events: the callbacks.
        seed: that of the run.
    """

    def __init__(self, training: Functional, events: Events, seed: int) -> None:
        self._training, self._events, self._seed = training, events, seed
        self._lineage = Lineage()

    def save(self, store: CheckpointStore, state: RunState, score: float | None) -> None:
        """Write a checkpoint.

        Raises:
            CheckpointError: it cannot be written.
            TypeError: a callback has a state that JSON cannot hold.
        """
        state.metrics = jax.device_get(state.metrics)
        facts = state.to_facts() | {"callbacks": self._events.states(), "seed": self._seed}
        store.save(state.step, parts_of(self._training), facts, score, self._lineage)

    def restore(self, folder: str | Path, step: int | str | None) -> tuple[int, RunState]:
        """Go back to a checkpoint, as `Trainer.restore`: its step, and the counts of the run."""
        found = CheckpointStore(folder).restore(parts_of(self._training), step)
        facts = found.facts
        if facts["seed"] != self._seed:
            raise ValueError(
                f"seed must be that of the run that was saved, {facts['seed']}, not {self._seed}; "
                "weights_only=True takes its weights for a new run."
            )
        self._events.load_states(facts["callbacks"])
        write_parts(self._training, found.arrays)
        self._lineage = found.lineage
        return found.step, RunState.from_facts(facts)

    def restore_weights(
        self,
        folder: str | Path,
        step: int | str | None,
        optimizer: nnx.Optimizer[nnx.Module],
        model: nnx.Module,
    ) -> int:
        """Take the model of a checkpoint for a new run, and make the optimizer's state anew."""
        wanted = {MODEL: parts_of(self._training)[MODEL]}
        found = CheckpointStore(folder).restore(wanted, step)
        write_parts(self._training, found.arrays)
        fresh = nnx.Optimizer(model, optimizer.tx, wrt=optimizer.wrt)
        nnx.update(optimizer, nnx.state(fresh))
        self._lineage = Lineage()
        return found.step
