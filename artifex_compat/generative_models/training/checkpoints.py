"""Checkpoints of a run: arrays and JSON, written by orbax under another name and then renamed.

Nothing in them is ever unpickled, and nothing is used before its digest is known to be right.
"""

import hashlib
import json
import math
import shutil
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from artifex_compat.generative_models.training.callbacks.monitor import MODES
from artifex_compat.generative_models.training.naming import free_name
from artifex_compat.generative_models.training.placement import is_key, place
from edifice_py.checks import choice, integer, positive_int

FORMAT = "artifex_compat.training/1"
BEST = "best"
REPLACED, REMOVED = ".replaced", ".removed"
"""End the name of a checkpoint while another takes its place, and while it is removed."""
UNFINISHED = "*.orbax-checkpoint-tmp*"
"""What a save that was killed leaves."""
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


@dataclass
class Lineage:
    """The checkpoints that belong to a run, by their identities.

    Attributes:
        own: those that it wrote, the one that it was restored from, and those before.
        left: those after the one that it was restored from; its next save removes them.
    """

    own: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)


class Restored(NamedTuple):
    """A checkpoint that was read: its step, arrays and facts, and what a run from it owns."""

    step: int
    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]
    lineage: Lineage


class CheckpointStore:
    """A folder of checkpoints, one for each step that was saved.

    Args:
        folder: where they are; it is made by the first save.
        keep_last: how many of the newest are kept.
        keep_best: how many of the best are kept beside them.
        mode: whether "min" or "max" values of the score are better.
        monitor: the metric that is the score.

    Raises:
        ValueError: a number or the mode is not allowed.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        keep_last: int = 1,
        keep_best: int = 1,
        mode: str = "min",
        monitor: str | None = None,
    ) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self._keep_last = positive_int("keep_last", keep_last)
        self._keep_best = positive_int("keep_best", keep_best)
        self._mode, self._monitor = choice("mode", mode, MODES), monitor

    def save(
        self,
        step: int,
        parts: Parts,
        facts: Mapping[str, Any],
        score: float | None = None,
        lineage: Lineage | None = None,
    ) -> None:
        """Write a checkpoint; it is there as a whole, or not at all.

        Checkpoints of another run are first moved to a numbered folder beside this one, with a
        warning. Those of the run itself that are of this step or later are removed after the save.

        Args:
            step: names it.
            parts: arrays by name, of each part.
            facts: what JSON can hold.
            score: by which the best are kept; None or a value that is not finite is the worst.
            lineage: the run's; the new checkpoint is added to it.

        Raises:
            CheckpointError: the folder cannot be written to.
        """
        run = Lineage() if lineage is None else lineage
        digests = {part: digest(arrays) for part, arrays in parts.items()}
        content = {"format": FORMAT, "digests": digests, "facts": dict(facts)}
        identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        finite = float(score) if score is not None and math.isfinite(score) else None
        mark = Mark(identity, finite, self._monitor, self._mode)
        try:
            marks = self._marks()
            known = marks.get(step)
            saved = known is not None and known.identity == identity and identity in run.own
            if saved and (finite is None or mark == known):
                return
            if _one_process_writes():
                self._clean()
                others = {n for n, m in marks.items() if m.identity not in run.own | run.left}
                self._move_aside(sorted(others))
                ours = sorted(marks.keys() - others, reverse=True)
                replaced = [n for n in ours if n >= step or marks[n].identity in run.left]
            else:
                ours, replaced = [], []
            self._write(step, parts, content, mark, replaced)
            run.own.add(identity)
            if _one_process_writes():
                kept = {number: marks[number] for number in ours if number not in replaced}
                self._remove_all_but(self._worth_keeping(kept | {step: mark}), kept)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{self.folder}: the checkpoint of step {step} could not be written: "
                f"{_sentence(error)}"
            ) from error

    def restore(self, wanted: Parts, step: int | str | None = None) -> Restored:
        """The newest checkpoint that is whole and fits; those that are not are warned of.

        Args:
            wanted: arrays of the names, shapes and types that it must have, of the parts to read.
            step: take the checkpoint of this step, or the "best", not the newest.

        Raises:
            CheckpointError: there is none.
            ValueError: `step` is neither.
        """
        if step is not None and step != BEST and (isinstance(step, str) or integer(step) is None):
            raise ValueError(f"step must be the step of a checkpoint, or {BEST!r}, not {step!r}.")
        paths, marks = self._paths(), self._marks()
        reasons: list[str] = []
        for number in _candidates(marks, step):
            try:
                arrays, facts = _read(paths[number], wanted)
            except Exception as error:  # orbax and tensorstore raise a dozen kinds of them
                reasons.append(f"step {number}: {_sentence(error)}")
                continue
            for reason in reasons:
                warnings.warn(f"{self.folder}: skipped {reason}", stacklevel=3)
            identities = {n: mark.identity for n, mark in marks.items()}
            lineage = Lineage(
                own={identity for n, identity in identities.items() if n <= number},
                left={identity for n, identity in identities.items() if n > number},
            )
            return Restored(number, arrays, facts, lineage)
        raise CheckpointError(
            f"{self.folder}: no checkpoint can be used: "
            f"{'; '.join(reasons) or self._nothing(sorted(marks), step)}"
        )

    def _nothing(self, steps: list[int], step: int | str | None) -> str:
        """Why there is no candidate."""
        if not self.folder.is_dir():
            return "there is none, as there is no such folder"
        if steps and step == BEST:
            return "none has a score; give ModelCheckpoint the metric to monitor"
        of_step = f" of step {step}, only of {', '.join(map(str, steps))}" if steps else ""
        return f"there is none{of_step}"

    def _paths(self) -> dict[int, Path]:
        """Where the checkpoint of each step is, also one that a killed save was to replace."""
        if not self.folder.is_dir():
            return {}
        names = {path.name: path for path in self.folder.iterdir() if path.is_dir()}
        old = {name.removesuffix(REPLACED): path for name, path in names.items()}
        return {int(name): path for name, path in sorted((old | names).items()) if _is_step(name)}

    def _marks(self) -> dict[int, Mark]:
        """The mark of each checkpoint, by its step."""
        import orbax.checkpoint as ocp

        marks = {}
        for number, path in sorted(self._paths().items()):
            try:
                marks[number] = Mark(**ocp.JsonCheckpointHandler().restore(path / "mark"))
            except Exception:  # one that is broken is told from all others by where it is
                marks[number] = Mark(f"{self.folder}: step {number}")
        return marks

    def _write(
        self, step: int, parts: Parts, content: Any, mark: Mark, replaced: Iterable[int]
    ) -> None:
        """Write one, with those that it replaces under another name until it is whole."""
        import orbax.checkpoint as ocp

        renamed = []
        try:
            for number in replaced:
                path = self.folder / str(number)
                renamed.append((path, path.rename(f"{path}{REPLACED}")))
            every = {name: array for arrays in parts.values() for name, array in arrays.items()}
            with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
                checkpointer.save(
                    self.folder / str(step),
                    args=ocp.args.Composite(
                        arrays=ocp.args.StandardSave(every),
                        content=ocp.args.JsonSave(content),
                        mark=ocp.args.JsonSave(asdict(mark)),
                    ),
                )
        except BaseException:
            for path, aside in renamed:
                if not path.exists():
                    aside.rename(path)
            raise
        for _, aside in renamed:
            shutil.rmtree(aside)

    def _clean(self) -> None:
        """Finish or undo what a killed save began."""
        for left in (*self.folder.glob(UNFINISHED), *self.folder.glob(f"*{REMOVED}")):
            shutil.rmtree(left)
        for aside in self.folder.glob(f"*{REPLACED}"):
            path = aside.with_name(aside.name.removesuffix(REPLACED))
            if not _is_step(path.name):
                continue
            if path.exists():
                shutil.rmtree(aside)
            else:
                aside.rename(path)

    def _move_aside(self, steps: list[int]) -> None:
        """Move checkpoints of another run to a folder of their own."""
        if not steps:
            return
        aside = free_name(self.folder.resolve())
        aside.mkdir()
        for number in steps:
            shutil.move(self.folder / str(number), aside / str(number))
        warnings.warn(
            f"{self.folder}: there were checkpoints of another run, of "
            f"{'step' if len(steps) == 1 else 'steps'} {', '.join(map(str, steps))}; "
            f"they were moved to {aside}.",
            stacklevel=4,
        )

    def _worth_keeping(self, marks: Mapping[int, Mark]) -> set[int]:
        """The steps of the newest and the best."""
        ranked = _ranked(marks, (self._monitor, self._mode))
        return set(sorted(marks)[-self._keep_last :]) | set(ranked[: self._keep_best])

    def _remove_all_but(self, kept: set[int], steps: Iterable[int]) -> None:
        for number in set(steps) - kept:
            path = self.folder / str(number)
            # Renamed first: one that is half removed must not look like a broken checkpoint.
            shutil.rmtree(path.rename(f"{path}{REMOVED}"))


def _is_step(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name)) == name


def _ranked(marks: Mapping[int, Mark], ranking: tuple[str | None, str]) -> list[int]:
    """The steps that have a score of a ranking, the best first, and of equal ones the newest."""
    scores = {
        step: mark.score if mark.mode == "min" else -mark.score
        for step, mark in marks.items()
        if mark.score is not None and mark.ranking == ranking
    }
    return sorted(scores, key=lambda step: (scores[step], -step))


def _candidates(marks: Mapping[int, Mark], step: int | str | None) -> list[int]:
    """The steps of the checkpoints that may be restored, in the order in which they are tried."""
    if step == BEST:
        scored = [number for number, mark in sorted(marks.items()) if mark.score is not None]
        return _ranked(marks, marks[scored[-1]].ranking) if scored else []
    if step is None:
        return sorted(marks, reverse=True)
    return [int(step)] if step in marks else []


def _read(path: Path, wanted: Parts) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
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


def _one_process_writes() -> bool:
    """Whether this is the process that moves and removes; orbax writes from it too."""
    return jax.process_index() == 0


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
