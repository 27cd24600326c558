"""Checkpoints of a run: arrays and JSON, written by orbax under another name and then renamed.

Nothing in them is ever unpickled, and nothing is used before its digest is known to be right.
"""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from artifex_compat.generative_models.training.callbacks.monitor import MODES
from artifex_compat.generative_models.training.placement import is_key, place
from edifice_py.checks import choice, positive_int

FORMAT = "artifex_compat.training/1"
Arrays = Mapping[str, np.ndarray]


class CheckpointError(Exception):
    """A checkpoint that cannot be used, and why, in one sentence."""


class CheckpointStore:
    """A folder of checkpoints, one for each step that was saved.

    Args:
        folder: where they are; it is made by the first save.
        keep_last: how many of the newest are kept.
        keep_best: how many of the best are kept beside them.
        mode: whether "min" or "max" values of the score are better.

    Raises:
        ValueError: a number or the mode is not allowed.
    """

    def __init__(
        self, folder: str | Path, *, keep_last: int = 1, keep_best: int = 1, mode: str = "min"
    ) -> None:
        self.folder = Path(folder).absolute()
        self._keep_last = positive_int("keep_last", keep_last)
        self._keep_best = positive_int("keep_best", keep_best)
        self._mode = choice("mode", mode, MODES)
        self._manager: Any = None
        self._broken: set[int] = set()

    def save(self, step: int, arrays: Arrays, facts: Mapping[str, Any], score: float) -> None:
        """Write a checkpoint; it is there as a whole, or not at all.

        Args:
            step: names it.
            arrays: by name.
            facts: what JSON can hold.
            score: by which the best are kept.

        Raises:
            CheckpointError: the folder cannot be written to.
        """
        import orbax.checkpoint as ocp

        content = {"format": FORMAT, "digest": digest(arrays), "facts": dict(facts)}
        try:
            manager = self._open()
            if step in manager.all_steps():
                if step not in self._broken:
                    return
                manager.delete(step)
            manager.save(
                step,
                args=ocp.args.Composite(
                    arrays=ocp.args.StandardSave(dict(arrays)), content=ocp.args.JsonSave(content)
                ),
                metrics={"score": score},
            )
            manager.wait_until_finished()
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{self.folder}: the checkpoint of step {step} could not be written: "
                f"{_sentence(error)}"
            ) from error

    def restore(
        self, wanted: Arrays, step: int | None = None
    ) -> tuple[int, dict[str, np.ndarray], dict[str, Any]]:
        """The newest checkpoint that is whole and fits; those that are not are warned of.

        Args:
            wanted: arrays of the names, shapes and types that it must have.
            step: take the checkpoint of this step, not the newest.

        Returns:
            Its step, arrays and facts.

        Raises:
            CheckpointError: there is none.
        """
        reasons = []
        steps = sorted(self._open().all_steps(), reverse=True) if self.folder.is_dir() else []
        for number in steps if step is None else [step] if step in steps else []:
            try:
                arrays, facts = self._read(number, wanted)
            except Exception as error:
                # orbax and tensorstore raise a dozen kinds of errors on broken files.
                self._broken.add(number)
                reasons.append(f"step {number}: {_sentence(error)}")
                continue
            for reason in reasons:
                warnings.warn(f"{self.folder}: skipped {reason}", stacklevel=3)
            return number, arrays, facts
        others = f" of step {step}, only of {', '.join(map(str, steps))}" if steps else ""
        found = "; ".join(reasons) or f"there is none{others}"
        raise CheckpointError(f"{self.folder}: no checkpoint can be used: {found}")

    def _read(self, step: int, wanted: Arrays) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        import orbax.checkpoint as ocp

        manager = self._open()
        content = manager.restore(step, args=ocp.args.Composite(content=ocp.args.JsonRestore()))
        found = content["content"]
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise CheckpointError(f"its format is not {FORMAT}")
        self._check_shapes(manager.item_metadata(step)["arrays"], wanted)
        abstract = {name: np.empty(array.shape, array.dtype) for name, array in wanted.items()}
        restored = manager.restore(
            step, args=ocp.args.Composite(arrays=ocp.args.StandardRestore(abstract))
        )["arrays"]
        arrays = {name: np.asarray(array) for name, array in restored.items()}
        if digest(arrays) != found.get("digest"):
            raise CheckpointError("its arrays are not those that were saved")
        return arrays, found["facts"]

    @staticmethod
    def _check_shapes(metadata: Any, wanted: Arrays) -> None:
        """Compare before anything is allocated."""
        had = {name: tuple(item.shape) for name, item in dict(metadata).items()}
        for name in sorted(had.keys() | wanted.keys()):
            shape = wanted[name].shape if name in wanted else None
            if had.get(name) != shape:
                raise CheckpointError(
                    f"it is of another model: {name} has the shape {had.get(name)} there, "
                    f"{shape} here"
                )

    def _open(self) -> Any:
        if self._manager is None:
            import orbax.checkpoint as ocp
            from orbax.checkpoint.checkpoint_managers import preservation_policy as keep

            best = keep.BestN(
                get_metric_fn=lambda metrics: metrics["score"],
                reverse=self._mode == "min",
                n=self._keep_best,
            )
            options = ocp.CheckpointManagerOptions(
                create=True,
                enable_async_checkpointing=False,
                preservation_policy=keep.AnyPreservationPolicy(
                    [keep.LatestN(self._keep_last), best]
                ),
            )
            handlers = {
                "arrays": ocp.StandardCheckpointHandler(),
                "content": ocp.JsonCheckpointHandler(),
            }
            self._manager = ocp.CheckpointManager(
                self.folder, options=options, item_handlers=handlers
            )
        return self._manager


def digest(arrays: Arrays) -> str:
    """SHA-256 of names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype} {array.shape};".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def to_host(value: jax.Array) -> np.ndarray:
    """An array as numpy has it; a key as its words."""
    return np.asarray(jax.device_get(jax.random.key_data(value) if is_key(value) else value))


def from_host(array: np.ndarray, like: jax.Array) -> jax.Array:
    """What `to_host` gave, as an array of the kind and at the place of another."""
    if not is_key(like):
        return cast(jax.Array, place(array, like.sharding))
    key = jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(like))
    return cast(jax.Array, place(key, like.sharding))


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
