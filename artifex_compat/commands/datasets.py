"""The data of a run: read, checked and divided before anything is built."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from artifex_compat.commands.configuration import CONDITIONAL, DataSection, RunConfig
from artifex_compat.data import (
    DataError,
    Examples,
    Sprites,
    check_examples,
    digits,
    read_idx,
    read_image_folder,
    read_npz,
)
from artifex_compat.data.files import MOST_BYTES, Array
from artifex_compat.shuffling import shuffled
from edifice_py.checks import choice

Batch = dict[str, Array]

LEAST_HELD_OUT = 2
"""Whether a latent varies cannot be seen from one example."""


@dataclass(frozen=True)
class Prepared:
    """A run whose data are known to be fit for it.

    Attributes:
        config: with the shape of the examples, and the number of classes of a conditional model.
        train: what it is trained on.
        held_out: what validates and evaluates it.
    """

    config: RunConfig
    train: Examples
    held_out: Examples


def prepare(config: RunConfig) -> Prepared:
    """Read the data of a run, check them, and hold some out.

    Raises:
        DataError: a file is unreadable, or what it holds is not for such a run.
        ValueError: a number is not what it must be.
        ImportError: an extra is not installed.
    """
    examples = read_examples(config)
    train, held_out = examples.split(config.data.held_out, config.data.seed)
    if len(held_out) < LEAST_HELD_OUT:
        raise ValueError(
            f"data.held_out must leave at least {LEAST_HELD_OUT} of the {len(examples)} examples "
            f"to evaluate on, not {len(held_out)}: give a larger share, or more examples."
        )
    if config.training.batch_size > len(train):
        raise ValueError(
            f"training.batch_size must be at most the {len(train)} examples to train on, "
            f"not {config.training.batch_size}."
        )
    model = replace(config.model, input_shape=examples.x.shape[1:])
    labels = condition_of(examples, config)
    if labels is not None and "num_classes" not in model.options:
        classes: dict[str, Any] = {"num_classes": 1 + int(labels.max())}
        model = replace(model, **classes)
    return Prepared(replace(config, model=model), train, held_out)


def read_examples(config: RunConfig) -> Examples:
    """All the examples of a run, checked.

    Raises:
        DataError, ValueError, ImportError: as `prepare`.
    """
    data = config.data
    examples = _read(data)
    # All of them, so that a sentence names an example by its place in the file.
    check_examples(
        examples.x,
        loss_type=config.training.loss_type,
        input_shape=config.model.input_shape,
        output_activation=config.model.output_activation,
    )
    if data.source != "sprites" and data.examples is not None:
        if data.examples > len(examples):
            raise DataError(
                f"data.examples must be at most the {len(examples)} that there are, "
                f"not {data.examples}."
            )
        examples = examples.take(shuffled(len(examples), data.seed)[: data.examples])
    condition_of(examples, config)
    return examples


def training_batch(examples: Examples, config: RunConfig) -> Batch:
    """What `Trainer` takes: `image`, and `y` for a conditional model."""
    condition = condition_of(examples, config)
    return {"image": examples.x} | ({} if condition is None else {"y": condition})


def evaluation_batch(examples: Examples, config: RunConfig) -> Batch:
    """What evaluation takes: the same, and the factors as `labels`."""
    factors = {} if examples.factors is None else {"labels": examples.factors}
    return training_batch(examples, config) | factors


def class_names(examples: Examples) -> tuple[str, ...] | None:
    """The names of the values of the first factor, None where they have none."""
    return examples.value_names.get(examples.factor_names[0]) if examples.factor_names else None


def condition_of(examples: Examples, config: RunConfig) -> Array | None:
    """The labels of a conditional model, int32 `[n]`; None for other models.

    Raises:
        DataError: there are none, or they are not integers from 0 to the number of classes.
    """
    if config.model.type != CONDITIONAL:
        return None
    if examples.factors is None:
        raise DataError("the data must have labels for a conditional_vae, and have none.")
    names = examples.factor_names
    name = config.model.condition or names[0]
    labels = examples.factors[:, names.index(choice("model.condition", name, names))]
    if config.model.condition is None and _is_one_hot(examples.factors):
        labels = examples.factors.argmax(axis=1)
    classes = config.model.options.get("num_classes") or len(labels)
    whole_numbers = np.isfinite(labels).all() and (labels == np.round(labels)).all()
    if not whole_numbers or not 0 <= labels.min() <= labels.max() < classes:
        raise DataError(
            f"the condition {name!r} must be integers from 0 to {classes - 1}, "
            f"not numbers from {labels.min():g} to {labels.max():g}."
        )
    return labels.astype(np.int32)


def _is_one_hot(factors: Array) -> bool:
    """Whether rows of several numbers are one 1 and else zeros: labels, of which none is first."""
    binary = np.isin(factors, (0, 1)).all()
    return factors.shape[1] > 1 and bool(binary and (factors.sum(axis=1) == 1).all())


def _read(data: DataSection) -> Examples:
    file = data.file or ""
    match data.source:
        case "digits":
            return digits()
        case "sprites":
            return _sprites(data)
        case "npz":
            return read_npz(file, data.images, data.factors)
        case "idx":
            return read_idx(file, data.labels)
    size: Any = data.image_size
    return read_image_folder(file, size=size, channels=data.channels)


def _sprites(data: DataSection) -> Examples:
    names = ("size", "shapes", "scales", "orientations", "positions")
    options: Mapping[str, Any] = {name: getattr(data, name) for name in names}
    sprites = Sprites(**options)
    count = len(sprites) if data.examples is None else data.examples
    most = MOST_BYTES // (4 * data.size**2)
    if count > most:
        raise DataError(
            f"data.examples must be at most {most:,} sprites of {data.size} x {data.size} pixels, "
            f"which take 4 GiB, not {count:,}."
        )
    return sprites.sample(count, data.seed)
