"""Telling callbacks of a run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


class Events:
    """The callbacks of a trainer, told of each event once, in their order.

    Args:
        trainer: what they are given first.
        callbacks: who is told.
    """

    def __init__(self, trainer: Any, callbacks: Sequence[Any]) -> None:
        self._trainer = trainer
        self.callbacks = tuple(callbacks)

    @property
    def of_batches(self) -> bool:
        """Whether one of them hears of single batches."""
        return any(callback.hears_batches for callback in self.callbacks)

    def tell(self, event: str, *args: Any) -> None:
        """Tell all of an event, by the name of its method."""
        for callback in self.callbacks:
            getattr(callback, event)(self._trainer, *args)

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
                    callback.on_train_end(self._trainer)
                except Exception as error:  # the others must hear of the end all the same
                    errors.append(error)
        if errors:
            raise errors[0]
