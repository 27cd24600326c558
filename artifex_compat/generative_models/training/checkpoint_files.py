"""One checkpoint on disk: arrays and JSON, written by orbax under another name and then renamed.

Nothing in it is ever unpickled, and nothing is used before its digest is known to be right.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from artifex_compat.generative_models.training.functional import Functional
from artifex_compat.generative_models.training.placement import is_key, place

FORMAT = "artifex_compat.training/1"
MODEL, OPTIMIZER = "0", "1"
"""The parts of a run; the names of their arrays begin with these and a slash."""

Arrays = Mapping[str, np.ndarray]
Parts = Mapping[str, Arrays]
"""Arrays by name, of each part of a run."""


class CheckpointError(Exception):
    """A checkpoint that cannot be used, and why, in one sentence."""


@dataclass(frozen=True)
class Mark:
    """What is known of a checkpoint without reading its arrays.

    Attributes:
        identity: digest of all that is in it.
        score: the value of the monitored metric, None where there is none or it is not finite.
        monitor: the metric.
        mode: whether "min" or "max" values of it are better.
    """

    identity: str
    score: float | None = None
    monitor: str | None = None
    mode: str = "min"

    @property
    def ranking(self) -> tuple[str | None, str]:
        """Scores are compared where this is the same."""
        return self.monitor, self.mode


class Checkpoint:
    """What is written as a checkpoint.

    Args:
        parts: arrays by name, of each part.
        facts: what JSON can hold.
        score: by which the best are kept; a value that is not finite counts as none.
        monitor, mode: as in `Mark`.
    """

    def __init__(
        self,
        parts: Parts,
        facts: Mapping[str, Any],
        *,
        score: float | None,
        monitor: str | None,
        mode: str,
    ) -> None:
        self._arrays = {name: array for of in parts.values() for name, array in of.items()}
        digests = {part: digest(arrays) for part, arrays in parts.items()}
        self._content = {"format": FORMAT, "digests": digests, "facts": dict(facts)}
        written = json.dumps(self._content, sort_keys=True).encode()
        finite = float(score) if score is not None and math.isfinite(score) else None
        self.mark = Mark(hashlib.sha256(written).hexdigest(), finite, monitor, mode)

    def inherit(self, other: Mark) -> None:
        """Take the score of another checkpoint of the same step and metric, for want of one."""
        if self.mark.score is None and other.ranking == self.mark.ranking:
            self.mark = replace(self.mark, score=other.score)

    def write(self, path: Path) -> None:
        """Write it as a new folder, which is there as a whole or not at all."""
        import orbax.checkpoint as ocp

        with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
            checkpointer.save(
                path,
                args=ocp.args.Composite(
                    arrays=ocp.args.StandardSave(self._arrays),
                    content=ocp.args.JsonSave(self._content),
                    mark=ocp.args.JsonSave(asdict(self.mark)),
                ),
            )


def read_mark(path: Path) -> Mark:
    """The mark of a checkpoint; one that is broken is told from all others by where it is."""
    import orbax.checkpoint as ocp

    try:
        return Mark(**ocp.JsonCheckpointHandler().restore(path / "mark"))
    except Exception:
        return Mark(f"{path} cannot be read")


def read(path: Path, wanted: Parts) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of some parts, and the facts."""
    import orbax.checkpoint as ocp

    content = ocp.JsonCheckpointHandler().restore(path / "content")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"its format is not {FORMAT}")
    handler = ocp.PyTreeCheckpointHandler()
    had = handler.metadata(path / "arrays").tree
    abstract: dict[str, np.ndarray] = {}
    for part, arrays in wanted.items():
        _check_shapes(had, arrays, part)
        abstract |= {name: np.empty(array.shape, array.dtype) for name, array in arrays.items()}
    as_numpy = {name: ocp.RestoreArgs(restore_type=np.ndarray) for name in abstract}
    restored = handler.restore(
        path / "arrays",
        args=ocp.args.PyTreeRestore(item=abstract, restore_args=as_numpy, partial_restore=True),
    )
    for part, arrays in wanted.items():
        if digest({name: restored[name] for name in arrays}) != content["digests"].get(part):
            raise CheckpointError("its arrays are not those that were saved")
    return dict(restored), content["facts"]


def _check_shapes(metadata: Any, wanted: Arrays, part: str) -> None:
    """Compare a part before anything is allocated; names begin with that of their part."""
    had = {
        name: tuple(item.shape)
        for name, item in dict(metadata).items()
        if name.startswith(f"{part}/")
    }
    for name in sorted(had.keys() | wanted.keys()):
        shape = wanted[name].shape if name in wanted else None
        if had.get(name) != shape:
            raise CheckpointError(
                f"it is of another {'model' if part == MODEL else 'optimizer'}: {name} has the "
                f"shape {had.get(name)} there, {shape} here"
            )


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


def parts_of(functional: Functional) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a model and its optimizer, by their paths."""
    parts: dict[str, dict[str, np.ndarray]] = {MODEL: {}, OPTIMIZER: {}}
    for name, value in functional.named().items():
        parts[name.partition("/")[0]][name] = to_host(value)
    return parts


def write_parts(functional: Functional, arrays: Arrays) -> None:
    """Put arrays of the parts that there are into the model and its optimizer."""
    live = functional.named()
    functional.write(
        [from_host(arrays[name], like) if name in arrays else like for name, like in live.items()]
    )


def sentence(error: BaseException) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
