"""Examples with their factors, and what must hold of them before training."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import Any

import numpy as np

from artifex_compat.data.files import Array, DataError
from artifex_compat.ranges import (
    Range,
    loss_refusal,
    output_mismatch,
    output_refusal,
    warn_of_channels_first,
)
from artifex_compat.shuffling import shuffled
from edifice_py.checks import choice, native, owned

LOSSES = ("bce", "mae", "mse")


@dataclass(frozen=True, eq=False, repr=False)
class Examples:
    """Examples and the factors that made them.

    Args:
        copy: copy the arrays; without, they must not be changed afterwards.

    Attributes:
        x: float32 images `[n, height, width, channels]`, or vectors `[n, features]`.
        factors: `[n, factors]`, or None where nobody knows them. A label is one factor.
        factor_names: a name for each.
        value_names: of factors that are classes, the names of their values from 0 on, by the name
            of the factor.
    """

    x: Array
    factors: Array | None = None
    factor_names: tuple[str, ...] = ()
    value_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _: KW_ONLY
    copy: InitVar[bool] = True

    def __post_init__(self, copy: bool) -> None:
        """Check that the parts fit, and bring them to native byte order.

        Raises:
            DataError: there is another number of factors than of examples or of names, or values
                have names of which there is no such factor, or fewer than there are values.
        """
        own = owned if copy else native
        object.__setattr__(self, "x", own(self.x))
        object.__setattr__(self, "factors", own(self.factors))
        self._check_factors()
        for name, values in self.value_names.items():
            if self.factors is None or name not in self.factor_names:
                raise DataError(
                    f"value_names must be of {' or '.join(self.factor_names) or 'no factor'}, "
                    f"not of {name!r}."
                )
            numbers = self.factors[:, self.factor_names.index(name)]
            if not np.isin(numbers, np.arange(len(values))).all():
                raise DataError(
                    f"value_names must name all values of {name!r}, from 0 on, not {len(values)}."
                )

    def _check_factors(self) -> None:
        if self.factors is None:
            return
        if self.factors.ndim != 2 or len(self.factors) != len(self.x):
            raise DataError(
                f"factors must be [{len(self.x)}, factors], a row for each example, "
                f"not {list(self.factors.shape)}."
            )
        if not self.factor_names:
            names = tuple(f"factor {index}" for index in range(self.factors.shape[1]))
            object.__setattr__(self, "factor_names", names)
        if len(self.factor_names) != self.factors.shape[1]:
            raise DataError(
                f"factor_names must be {self.factors.shape[1]} names, one for each factor, "
                f"not {len(self.factor_names)}."
            )

    def __repr__(self) -> str:
        """How many there are of which shape, and what made them, without the arrays."""
        factors = f", factors {', '.join(self.factor_names)}" if self.factor_names else ""
        return f"Examples({len(self)} of {list(self.x.shape[1:])}, {self.x.dtype}{factors})"

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.x)

    def take(self, rows: Any) -> "Examples":
        """The examples of some rows: indices, or a slice."""
        factors = None if self.factors is None else self.factors[rows]
        return Examples(self.x[rows], factors, self.factor_names, self.value_names, copy=False)

    def split(self, held_out: float = 0.2, seed: int = 0) -> tuple["Examples", "Examples"]:
        """Examples for training and others for validation, in a random order.

        Args:
            held_out: the share of the second part, above 0 and below 1.
            seed: names the order.

        Raises:
            ValueError: one of the parts would be empty.
        """
        count = round(len(self) * held_out)
        if not 0 < count < len(self):
            raise ValueError(
                f"held_out must leave some of the {len(self)} examples for each part, "
                f"like 0.2, not {held_out}."
            )
        order = shuffled(len(self), seed)
        return self.take(order[count:]), self.take(order[:count])

    def as_batch(self) -> dict[str, Array]:
        """What `Trainer.train` and `evaluate_disentanglement` take: `image`, and `labels`."""
        return {"image": self.x} | ({} if self.factors is None else {"labels": self.factors})


def check_examples(
    x: Any,
    *,
    loss_type: str = "mse",
    input_shape: tuple[int, ...] | None = None,
    output_activation: str | None = None,
) -> None:
    """Refuse data that training would choke on, before it starts.

    Args:
        x: examples `[n, ...]`.
        loss_type: "mse", "mae" or "bce", as of `VAETrainer`: "bce" wants numbers in [0, 1].
        input_shape: the shape of one example that the model is for, None for any.
        output_activation: that of the decoder, which must reach the data; None for any.

    Raises:
        DataError: there are none, they are no numbers, one of them is not finite, they have
            another shape, or they are out of the range of the loss or the output.
        ValueError: there is no such loss, or it cannot be taken of the output.

    Warns:
        UserWarning: they seem to be pictures with their channels first.
    """
    choice("loss_type", loss_type, LOSSES)
    values = np.asarray(x)
    if values.dtype.kind not in "bf" and not np.issubdtype(values.dtype, np.integer):
        raise DataError(f"the data must be numbers, not {values.dtype}.")
    if values.ndim < 2 or values.size == 0:
        raise DataError(
            f"the data must be examples [n, ...], at least one, not an array of "
            f"{list(values.shape)}."
        )
    if input_shape is not None and values.shape[1:] != tuple(input_shape):
        raise DataError(
            f"the data must be examples of the model's shape {list(input_shape)}, "
            f"not of {list(values.shape[1:])}."
        )
    found = Range(float(values.min()), float(values.max()), values.dtype)  # a NaN is both
    if not np.isfinite([found.low, found.high]).all():
        broken = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
        raise DataError(
            f"the data must be finite, and {broken.sum():,} of {len(values):,} examples are not, "
            f"the first of them number {broken.argmax()}."
        )
    if words := output_refusal(loss_type, output_activation):
        raise ValueError(words)
    words = loss_refusal(found, loss_type) or output_mismatch(found, output_activation)
    if words:
        raise DataError(words)
    warn_of_channels_first(values.shape)
