"""Training data: arrays in memory, in an order that (seed, epoch) names, or an iterable."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from artifex_compat.generative_models.training.placement import place
from artifex_compat.shuffling import shuffled
from edifice_py.checks import positive_int


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["arrays"],
    meta_fields=["batch_size", "seed", "drop_remainder"],
)
@dataclass(frozen=True)
class InMemory:
    """Arrays on the device, cut into batches; a compiled function takes it as an argument.

    Attributes:
        arrays: an array, or a dictionary of arrays, all `[examples, ...]`.
        batch_size: examples in a batch.
        seed: with the epoch it names the order of the examples; None leaves them as they are.
        drop_remainder: leave out what is left when all batches are full. Another order leaves out
            other examples.
    """

    arrays: Any
    batch_size: int
    seed: int | None
    drop_remainder: bool

    @property
    def examples(self) -> int:
        """How many there are."""
        return int(jax.tree.leaves(self.arrays)[0].shape[0])

    @property
    def full_batches(self) -> int:
        """How many batches of the full size an epoch has."""
        return self.examples // self.batch_size

    @property
    def remainder(self) -> int:
        """How many examples the smaller batch at the end of an epoch has, 0 for no such batch."""
        return 0 if self.drop_remainder else self.examples % self.batch_size

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""
        return self.full_batches + bool(self.remainder)

    def rows(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Which examples are in which batch of an epoch.

        The order is made on the host: a sort of JAX takes fifty times as long on a CPU.

        Returns:
            int32 `[full_batches, batch_size]`; and those of the smaller batch, int32 `[remainder]`.
        """
        order = np.arange(self.examples, dtype=np.int32)
        if self.seed is not None:
            order = shuffled(self.examples, (self.seed, epoch)).astype(np.int32)
        full = self.full_batches * self.batch_size
        of_full = order[:full].reshape(self.full_batches, self.batch_size)
        return of_full, order[full : full + self.remainder]

    def take(self, rows: jax.Array) -> Any:
        """The examples of some rows."""
        return jax.tree.map(lambda array: array.at[rows].get(mode="promise_in_bounds"), self.arrays)


def in_memory(
    data: Any,
    batch_size: Any,
    *,
    check: Callable[[Any], None],
    seed: int | None,
    drop_remainder: bool,
    sharding: Any,
) -> InMemory:
    """Put data on the device and cut them into batches.

    Args:
        data: an array, or a dictionary of arrays, all `[examples, ...]`.
        batch_size: examples in a batch.
        check: it is called with the data.
        seed: of the order, None for the order that they are in.
        drop_remainder: leave out a smaller batch at the end.
        sharding: where to put them, None for the default device.

    Raises:
        ValueError: there are no examples, fewer than a batch, or not as many in each array; and
            what `check` raises.
    """
    size = positive_int("batch_size", batch_size)
    counts = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(data)}
    if len(counts) != 1 or () in counts:
        raise ValueError(
            "data must be arrays with one row an example, and as many rows each, "
            f"not of {', '.join(str(list(np.shape(leaf))) for leaf in jax.tree.leaves(data))}."
        )
    ((examples,),) = counts
    if examples == 0:
        raise ValueError("data must have at least one example, and there is none.")
    if examples < size and drop_remainder:
        raise ValueError(
            f"batch_size must be at most the {examples} examples that there are, not {size}; "
            "or keep the remainder with drop_remainder=False."
        )
    check(data)
    return InMemory(place(data, sharding), size, seed, drop_remainder)


class Stream:
    """Batches as they come, gone through once an epoch; the first of all is checked.

    Args:
        batches: an iterable.
        check: it is called with the first batch.
    """

    def __init__(self, batches: Iterable[Any], check: Callable[[Any], None]) -> None:
        self._batches, self._check = batches, check
        self._checked = False

    def __iter__(self) -> Iterator[Any]:
        """The batches of an epoch.

        Raises:
            ValueError: they can be gone through only once, and have been.
        """
        batches, found = iter(self._batches), False
        for batch in batches:
            if not self._checked:
                self._check(batch)
            self._checked = found = True
            yield batch
        if not found and batches is self._batches:
            raise ValueError(
                f"data must be gone through once an epoch, and a {type(batches).__name__} can be "
                "only once in all, and has no batch left: give a list of batches, or an object "
                "whose __iter__ begins anew."
            )


def refuse_options(only_in_memory: Mapping[str, Any], batch_size: Any) -> None:
    """Refuse what an iterable of batches has no part in.

    Args:
        only_in_memory: options that are of data in memory, None where not given.
        batch_size: likewise, where no data in memory have it.

    Raises:
        ValueError: one of them is given.
    """
    for name, value in {**only_in_memory, "batch_size": batch_size}.items():
        if value is not None and (name, value) != ("mode", "step"):
            raise ValueError(
                f"{name} must not be given for an iterable, whose batches are taken one by one as "
                f"they come, not {value!r}: give arrays, or leave it out."
            )


def source(
    data: Any, batch_size: Any, *, check: Callable[[Any], None], **options: Any
) -> InMemory | Stream:
    """What an epoch goes through: data in memory as `in_memory` has them, or batches as they come.

    Args:
        data: arrays, or an iterable of batches.
        batch_size: as for `in_memory`.
        check: it is called with data in memory, before they are placed, or with the first batch.
        **options: as for `in_memory`.

    Raises:
        TypeError: the data are neither arrays nor an iterable.
        ValueError: as `in_memory` and `check`.
    """
    leaves = list(data.values()) if isinstance(data, Mapping) else [data]
    if leaves and all(isinstance(leaf, np.ndarray | jax.Array) for leaf in leaves):
        return in_memory(data, batch_size, check=check, **options)
    if isinstance(data, Iterable) and not isinstance(data, Mapping | str):
        return Stream(data, check)
    raise TypeError(
        "data must be an array, a dictionary of arrays, or an iterable of batches, "
        f"not a {type(data).__name__}."
    )
