"""Walks in a model's latent space, decoded: one latent at a time, and from example to example."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from artifex_compat.evaluation.arrays import Array, check_finite, latent_number, numbers
from artifex_compat.generative_models.models.vae import VQVAE
from artifex_compat.generative_models.models.vae.calling import call_with, inference, labels_for
from artifex_compat.generative_models.models.vae.results import reconstruction_of
from edifice_py.checks import array

BATCH = 256
"""Latent vectors that are decoded at a time."""


def latent_traversals(
    model: Any,
    z_base: Array,
    *,
    dims: Sequence[int] | None = None,
    values: Any = None,
    condition: Any = None,
) -> Array:
    """What a model decodes while one latent after another runs over some values.

    The model itself is not changed, and is in inference mode.

    Args:
        model: a VAE of any kind but a VQ-VAE.
        z_base: where the other latents stay, `[latent]` or `[1, latent]`, like a posterior mean, of
            numpy or JAX.
        dims: which latents, each from 0; all of them where not given.
        values: what each of them is set to, one after the other, in units of the prior's standard
            deviation; 11 from -3 to 3 where not given.
        condition: for a conditional model, one label, or one row `[1, width]`.

    Returns:
        float32 `[dims, values, *output_shape]`.

    Raises:
        TypeError: `z_base` is no array of numbers.
        ValueError: a shape does not fit, a number is not finite, there is no such latent, or the
            model is a VQ-VAE.

    Reference:
        Advanced VAE Examples, "Latent Traversal Visualization"; Higgins et al. (2017), beta-VAE,
        figure 1.
    """
    if isinstance(model, VQVAE):
        raise ValueError(
            "model must have latents that are numbers, which a VQVAE has not: it decodes codes, "
            "and the code nearest to a moved vector may be any."
        )
    base = _vector(z_base)
    wanted = range(len(base)) if dims is None else dims
    chosen = [latent_number("dims", dim, len(base)) for dim in wanted]
    steps = values_of(values)
    z = np.tile(base, (len(chosen), len(steps), 1))
    for row, dim in zip(z, chosen, strict=True):
        row[:, dim] = steps
    flat = z.reshape(-1, len(base))
    if not len(flat):
        raise ValueError("dims must have at least one latent, and there is none.")
    still = inference(model)
    labels = labels_for(still.decode, None if condition is None else np.atleast_1d(condition))
    parts = [
        np.asarray(reconstruction_of(call_with(still.decode, jnp.asarray(part), **labels)))
        for part in np.split(flat, range(BATCH, len(flat), BATCH))
    ]
    decoded = np.concatenate(parts).astype(np.float32)
    return decoded.reshape(*z.shape[:2], *decoded.shape[1:])


def latent_interpolations(
    model: Any, start: Array, end: Array, steps: int = 10, *, condition: Any = None
) -> Array:
    """What a model decodes on the lines between the posterior means of pairs of examples.

    The model itself is not changed, and is in inference mode; a VQ-VAE decodes the nearest codes.

    Args:
        model: a VAE of any kind, or another with `interpolate`.
        start: examples `[pairs, ...]`.
        end: as many others.
        steps: how many on each line, with both ends.
        condition: for a conditional model, one label or row for all, or one for each pair.

    Returns:
        float32 `[pairs, steps, *output_shape]`.

    Raises:
        TypeError: they are no arrays of numbers.
        ValueError: a shape does not fit, or `steps` is not positive.

    Reference:
        VAE API Reference, "interpolate".
    """
    first, last = (np.asarray(array(name, x)) for name, x in (("start", start), ("end", end)))
    if first.shape != last.shape or first.ndim < 2 or not len(first):
        raise ValueError(
            "start and end must be as many examples [pairs, ...], at least one, "
            f"not {list(first.shape)} and {list(last.shape)}."
        )
    still = inference(model)
    rows = _conditions(condition, len(first))
    frames = [
        call_with(
            still.interpolate,
            *(jnp.asarray(x[pair : pair + 1]) for x in (first, last)),
            steps,
            **labels_for(still.interpolate, rows[pair]),
        )
        for pair in range(len(first))
    ]
    return np.stack([np.asarray(frame) for frame in frames]).astype(np.float32)


def values_of(values: Any) -> Array:
    """What a latent is set to, float32 `[values]`.

    Raises:
        ValueError: they are no list of finite numbers, or there is none.
    """
    if values is None:
        return np.linspace(-3, 3, 11, dtype=np.float32)
    return numbers("values", values).astype(np.float32)


def _vector(z_base: Any) -> Array:
    """The base of a traversal as float32 `[latent]`."""
    found = np.asarray(array("z_base", z_base))
    if found.ndim not in (1, 2) or found.size == 0 or found.shape[:-1] not in ((), (1,)):
        raise ValueError(
            f"z_base must be one latent vector, [latent] or [1, latent], not {list(found.shape)}."
        )
    check_finite("z_base", found)
    return found.astype(np.float32).reshape(-1)


def _conditions(condition: Any, pairs: int) -> list[Any]:
    """The condition of each pair."""
    if condition is None:
        return [None] * pairs
    rows = np.atleast_1d(condition)
    if len(rows) not in (1, pairs):
        raise ValueError(f"condition must be one, or {pairs}, one for each pair, not {len(rows)}.")
    return [rows[pair : pair + 1] if len(rows) > 1 else rows for pair in range(pairs)]
