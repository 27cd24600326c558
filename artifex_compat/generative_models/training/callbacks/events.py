"""Telling callbacks of a run."""

import json
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from artifex_compat.generative_models.training.callbacks.base import Callback
from artifex_compat.generative_models.training.checkpoints import CheckpointStore

BATCH_EVENTS = ("on_batch_begin", "on_batch_end")
EVENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class Events:
    """The callbacks of a trainer, told of each event once, in their order.

    Args:
        trainer: what they are given first.
        callbacks: who is told: objects with any of the methods of `Callback`.

    Raises:
        TypeError: one has none of them, or is a class.
        ValueError: two save to one folder.
    """

    def __init__(self, trainer: Any, callbacks: Sequence[Any]) -> None:
        if not isinstance(callbacks, Sequence) or isinstance(callbacks, str):
            raise TypeError(f"callbacks must be a sequence of callbacks, not {callbacks!r}.")
        self._trainer = trainer
        self.callbacks = tuple(callbacks)
        self._afterwards: list[Callable[[], None]] | None = None
        for callback in self.callbacks:
            _check(callback)
        folders = [
            callback.store.folder.resolve() for callback in self.callbacks if _saves(callback)
        ]
        for folder in folders:
            if folders.count(folder) > 1:
                raise ValueError(
                    f"callbacks must not save to one folder, and two save to {folder}."
                )

    @property
    def of_batches(self) -> bool:
        """Whether one of them hears of single batches."""
        return any(map(_hears_batches, self.callbacks))

    @property
    def compare_epochs(self) -> bool:
        """Whether one of them compares epochs by a metric."""
        return any(getattr(callback, "compares_epochs", False) for callback in self.callbacks)

    def tell(self, event: str, *args: Any) -> None:
        """Tell all of an event, by the name of its method."""
        self._afterwards = []
        try:
            for callback in self.callbacks:
                self._call(callback, event, *args)
            actions = self._afterwards
        finally:
            self._afterwards = None
        for action in actions:
            action()

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something when all have heard of the event that they are being told of; else now."""
        if self._afterwards is None:
            action()
        else:
            self._afterwards.append(action)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Tell all of a run's beginning, and of its end, however it comes.

        What one of them raises at the end comes after the others have heard of it.
        """
        errors: list[Exception] = []
        try:
            self.tell("on_train_begin")
            yield
        finally:
            for callback in self.callbacks:
                try:
                    self._call(callback, "on_train_end")
                except Exception as error:  # the others must hear of the end all the same
                    errors.append(error)
        if errors:
            raise errors[0]

    def states(self) -> list[dict[str, Any]]:
        """What the callbacks need to go on after a restart, by the names of their classes.

        Raises:
            TypeError: one has what JSON cannot hold.
        """
        states = []
        for callback in self.callbacks:
            state = callback.state() if _has_state(callback) else {}
            try:
                json.dumps(state)
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"{_name(callback)}.state() must be what JSON can hold: {error}."
                ) from error
            if state:
                states.append({"class": _name(callback), "state": state})
        return states

    def load_states(self, saved: list[dict[str, Any]]) -> None:
        """Let the callbacks go on from what `states` gave, each from that of its class.

        States without a callback, and callbacks without a state, are warned of first.
        """
        of_class: dict[str, list[Any]] = defaultdict(list)
        for item in saved:
            of_class[item["class"]].append(item["state"])
        pairs, fresh = [], []
        for callback in self.callbacks:
            if not _has_state(callback):
                continue
            if of_class[_name(callback)]:
                pairs.append((callback, of_class[_name(callback)].pop(0)))
            elif callback.state():
                fresh.append(_name(callback))
        unused = [name for name, states in of_class.items() for _ in states]
        if unused:
            warnings.warn(
                f"the checkpoint has the state of {', '.join(unused)}, and this trainer has "
                "no such callback for it.",
                stacklevel=3,
            )
        if fresh:
            warnings.warn(
                f"the checkpoint has no state of {', '.join(fresh)}, which begins anew.",
                stacklevel=3,
            )
        for callback, state in pairs:
            callback.load_state(state)

    def _call(self, callback: Any, event: str, *args: Any) -> None:
        method = getattr(callback, event, None)
        if method is not None:
            method(self._trainer, *args)


def _check(callback: Any) -> None:
    """Refuse what would never be called."""
    if isinstance(callback, type):
        raise TypeError(
            f"callbacks must be objects, not classes: write {callback.__name__}(...), "
            f"not {callback.__name__}."
        )
    methods = [name for name in dir(callback) if name.startswith("on_")]
    for name in set(methods) - set(EVENTS):
        for nearest in get_close_matches(name, EVENTS, n=1, cutoff=0.75):
            if nearest not in methods or isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks must have methods of Callback, and {_name(callback)} has {name}, "
                    f"which is none of them; did you mean {nearest!r}?"
                )
    if not set(methods) & set(EVENTS):
        raise TypeError(
            f"callbacks must have methods of Callback, like on_epoch_end; {callback!r} has none."
        )


def _saves(callback: Any) -> bool:
    return isinstance(getattr(callback, "store", None), CheckpointStore)


def _hears_batches(callback: Any) -> bool:
    if isinstance(callback, Callback):
        return callback.hears_batches
    return any(hasattr(callback, name) for name in BATCH_EVENTS)


def _has_state(callback: Any) -> bool:
    return all(callable(getattr(callback, name, None)) for name in ("state", "load_state"))


def _name(callback: Any) -> str:
    return type(callback).__qualname__
