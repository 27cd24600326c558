"""The folder of a run's checkpoints: which are kept, and which is restored."""

import shutil
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from artifex_compat.generative_models.training.callbacks.monitor import MODES
from artifex_compat.generative_models.training.checkpoint_files import (
    Checkpoint,
    CheckpointError,
    Mark,
    Parts,
    read,
    read_mark,
    sentence,
)
from artifex_compat.generative_models.training.naming import free_name
from edifice_py.checks import choice, integer, named, positive_int

__all__ = ["CheckpointError", "CheckpointStore"]

BEST = "best"
REPLACED, REMOVED = ".replaced", ".removed"
"""End the name of a checkpoint while another takes its place, and while it is removed."""
UNFINISHED = "*.orbax-checkpoint-tmp*"
"""What a save that was killed leaves."""


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

    @named
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
            score: by which the best are kept; a value that is not finite is the worst, and so is
                None, unless the step was saved with a score before.
            lineage: the run's; the new checkpoint is added to it.

        Raises:
            CheckpointError: the folder cannot be written to.
        """
        run = Lineage() if lineage is None else lineage
        checkpoint = Checkpoint(parts, facts, score=score, monitor=self._monitor, mode=self._mode)
        try:
            marks = self._marks()
            known = marks.get(step)
            if known and known.identity in run.own:
                checkpoint.inherit(known)
                if checkpoint.mark == known:
                    return
            mark = checkpoint.mark
            if _one_process_writes():
                self._clean()
                others = {n for n, m in marks.items() if m.identity not in run.own | run.left}
                self._move_aside(sorted(others))
                ours = sorted(marks.keys() - others, reverse=True)
                replaced = [n for n in ours if n >= step or marks[n].identity in run.left]
            else:
                ours, replaced = [], []
            self._write(step, checkpoint, replaced)
            run.own.add(mark.identity)
            if _one_process_writes():
                kept = {number: marks[number] for number in ours if number not in replaced}
                self._remove_all_but(self._worth_keeping(kept | {step: mark}), kept)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{self.folder}: the checkpoint of step {step} could not be written: "
                f"{sentence(error)}"
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
                arrays, facts = read(paths[number], wanted)
            except Exception as error:  # orbax and tensorstore raise a dozen kinds of them
                reasons.append(f"step {number}: {sentence(error)}")
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
        return {number: read_mark(path) for number, path in sorted(self._paths().items())}

    def _write(self, step: int, checkpoint: Checkpoint, replaced: Iterable[int]) -> None:
        """Write one, with those that it replaces under another name until it is whole."""
        renamed = []
        try:
            for number in replaced:
                path = self.folder / str(number)
                renamed.append((path, path.rename(f"{path}{REPLACED}")))
            checkpoint.write(self.folder / str(step))
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


def _one_process_writes() -> bool:
    """Whether this is the process that moves and removes; orbax writes from it too."""
    return jax.process_index() == 0
