"""Our implementations, asked by several processes at once.

A check of ours compiles hundreds of small programs, which one process does one after the other:
more threads only wait for Python's lock.
"""

import atexit
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from golden import adapters, quick
from golden.adapters import (
    AnswerError,
    Implementation,
    Outcome,
    StartError,
    UnsupportedError,
    again,
    words_of,
)
from golden.arrays import Array
from golden.case import Case

Description = Mapping[str, Any]
"""The fields of an `Implementation` but its answer."""

_WORTH = 100
"""Fewer cases than this, and a process is not worth its start."""


@contextmanager
def asked(
    names: Sequence[str], cases: Sequence[Case], processes: int | None = None
) -> Iterator[list[Implementation]]:
    """Implementations of ours, compiled quickly, within this process or in several others.

    Others begin with all cases at once; what is asked besides is answered when it is asked.

    Args:
        names: of `adapters.NAMES`.
        cases: those that will be asked.
        processes: how many; by itself one for each processor and `_WORTH` cases, and only one
            where there is a GPU, whose memory the first takes.

    Raises:
        StartError: an implementation cannot be asked at all.
    """
    with quick.compilation():
        several = processes or processes_for(len(names) * len(cases))
        if several > 1:
            with _started(several, names) as pool:
                found = _described(pool, names)
                if processes or on_processors(found):
                    yield [_Pooled.of(one, pool, cases) for one in found]
                    return
        yield [adapters.implementation(name) for name in names]


def processes_for(cases: int) -> int:
    """How many processes answer a number of cases soonest."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, cases // _WORTH))


def on_processors(described: Iterable[Description]) -> bool:
    """Whether no implementation runs on a GPU."""
    return all(one["versions"].get("platform", "cpu") == "cpu" for one in described)


@contextmanager
def _started(processes: int, names: Sequence[str]) -> Iterator[ProcessPoolExecutor]:
    """Processes, all of which begin at once: alone, each would wait for something to do."""
    context = get_context("spawn")  # the fork of a process in which JAX runs may hang
    with ProcessPoolExecutor(processes, context, _start, (names,)) as pool:
        try:
            for _ in range(processes):
                pool.submit(os.getpid)
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def _described(pool: ProcessPoolExecutor, names: Sequence[str]) -> list[Description]:
    """What one of the processes tells of implementations, so that this one need not import any."""
    try:
        return pool.submit(_descriptions, names).result()
    except BrokenProcessPool as error:
        raise _ended(", ".join(names)) from error


def _ended(name: str) -> StartError:
    return StartError(f"a process that asks {name} ended without an answer")


class _Pooled:
    """An implementation's answers from a pool.

    Cases of one name go together: they have the same shapes in files of several recordings, and a
    process compiles for a shape once.
    """

    @classmethod
    def of(
        cls, described: Description, pool: ProcessPoolExecutor, cases: Sequence[Case]
    ) -> Implementation:
        """An implementation that answers so."""
        return Implementation(answer=cls(pool, described["name"], cases), **described)

    def __init__(self, pool: ProcessPoolExecutor, name: str, cases: Sequence[Case]) -> None:
        self._pool = pool
        self._name = name
        # Held, as they are known by identity: files of two folders may have cases of one address.
        self._cases = cases
        self._begun: dict[int, tuple[Future[list[Outcome]], int]] = {}
        alike: dict[str, list[Case]] = {}
        for case in cases:
            alike.setdefault(case.id, []).append(case)
        for of_one_name in alike.values():
            future = self._begin(of_one_name)
            places = enumerate(of_one_name)
            self._begun |= {id(case): (future, place) for place, case in places}

    def __call__(self, case: Case) -> Mapping[str, Array]:
        """The outputs of a case.

        Raises:
            UnsupportedError: the implementation has none.
            AnswerError: the call failed.
            StartError: one of the processes ended.
        """
        future, place = self._begun.get(id(case)) or (self._begin([case]), 0)
        try:
            return again(future.result()[place])
        except BrokenProcessPool as error:
            raise _ended(self._name) from error

    def _begin(self, cases: list[Case]) -> Future[list[Outcome]]:
        try:
            return self._pool.submit(_outcomes, self._name, cases)
        except BrokenProcessPool as error:
            broken: Future[list[Outcome]] = Future()
            broken.set_exception(error)
            return broken


def _start(names: Sequence[str]) -> None:
    """Begin one of the processes, which `quick.compilation` gave its flags and nothing else."""
    quick.collect_rarely()
    _end_with_parent()
    for name in names:
        with suppress(StartError):  # told to who asks for it
            adapters.imported(name)
    # Last to be registered, so first to be called: JAX would take all apart that it has compiled.
    atexit.register(os._exit, 0)


def _end_with_parent() -> None:
    """Do not outlive the process that asks: one that is killed tells nobody."""
    parent = parent_process()

    def wait() -> None:
        if parent:
            parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _descriptions(names: Sequence[str]) -> list[Description]:
    """All that implementations are but their answers, in one of the processes."""
    made = [vars(adapters.implementation(name)) for name in names]
    return [{field: value for field, value in one.items() if field != "answer"} for one in made]


def _outcomes(name: str, cases: list[Case]) -> list[Outcome]:
    """What an implementation of ours answers or raises, in one of the processes."""
    answer = adapters.implementation(name).answer
    found: list[Outcome] = []
    for case in cases:
        try:
            found.append(dict(answer(case)))
        except UnsupportedError as error:
            found.append(error)
        except Exception as error:
            # Whatever it raises is its answer, and may be nothing that can leave a process.
            found.append(AnswerError(words_of(error)))
    return found
