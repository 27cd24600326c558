"""What a callback can hear of a run."""

from typing import Any


class Callback:
    """Hears of each event once, in order; a subclass overrides what it wants to hear.

    The trainer is the first argument of all; `trainer.should_stop = True` ends the run after the
    epoch. A callback that hears of batches makes the trainer run batch by batch. An object of any
    class with some of these methods is a callback too.
    """

    @property
    def compares_epochs(self) -> bool:
        """Whether it compares epochs by one of their metrics."""
        return False

    @property
    def hears_batches(self) -> bool:
        """Whether it hears of single batches: whether it overrides a method for them."""
        names = ("on_batch_begin", "on_batch_end")
        return any(getattr(type(self), name) is not getattr(Callback, name) for name in names)

    def on_train_begin(self, trainer: Any) -> None:
        """Before the first epoch."""

    def on_stop(self, trainer: Any) -> None:
        """Before `on_train_end`, when all epochs are done or an interrupt ends the run early.

        Not when an error ends it.
        """

    def on_train_end(self, trainer: Any) -> None:
        """After the last epoch, and also when an error or Ctrl-C ends the run."""

    def on_epoch_begin(self, trainer: Any, epoch: int) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, trainer: Any, epoch: int, logs: dict[str, float]) -> None:
        """After an epoch; `logs` are the means of its metrics, those of validation as `val_...`."""

    def on_batch_begin(self, trainer: Any, batch: int) -> None:
        """Before a batch, counted from 0 in its epoch."""

    def on_batch_end(self, trainer: Any, batch: int, logs: dict[str, Any]) -> None:
        """After a batch; `logs` are its metrics, still on the device."""

    def on_validation_begin(self, trainer: Any) -> None:
        """Before the validation data are evaluated."""

    def on_validation_end(self, trainer: Any, logs: dict[str, float]) -> None:
        """After the validation data were evaluated."""

    def state(self) -> dict[str, Any]:
        """What it needs to go on after a restart, as JSON can hold it."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
