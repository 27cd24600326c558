"""Ctrl-C while a run trains: it is raised where model, optimizer and counts agree."""

import signal
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, Self, TypeVar

Item = TypeVar("Item")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Puts `KeyboardInterrupt` off to the next `check`; a second signal raises it at once.

    In the main thread it takes over the signals whose handler is `signal.default_int_handler`,
    which is Python's own for Ctrl-C. A program that sets it for SIGTERM too has both put off.

    Attributes:
        received: how many signals came.
    """

    def __init__(self) -> None:
        self.received = 0
        self._waiting = False
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self.received = 0
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is signal.default_int_handler:
                    self._handlers[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())
        if kind is None:
            self.check()

    def check(self) -> None:
        """Raise the interrupt that came.

        Raises:
            KeyboardInterrupt: one came.
        """
        if self.received:
            raise KeyboardInterrupt

    def waiting(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items; an interrupt that comes while the next one is waited for is raised at once."""
        iterator = iter(items)
        while True:
            self._waiting = True
            try:
                self.check()
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._waiting = False
            yield item

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received += 1
        if self._waiting or self.received > 1:
            signal.default_int_handler(number, frame)
