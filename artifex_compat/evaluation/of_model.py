"""ELBO, log-likelihood and reconstruction error of a trained model on data."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from artifex_compat.data import check_examples
from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.batches import batches_of, padded
from artifex_compat.evaluation.densities import likelihood, standard_normal_log_density
from artifex_compat.evaluation.importance_weighted import log_likelihood_score, log_mean_weight
from artifex_compat.evaluation.inference import InferenceModel
from artifex_compat.evaluation.lower_bound import elbo, mean_log_likelihood
from artifex_compat.evaluation.reconstruction import reconstruction_mse
from artifex_compat.evaluation.score import Score
from artifex_compat.generative_models.models.vae import VQVAE
from artifex_compat.generative_models.models.vae.batch import Batch
from edifice_py.checks import positive_int
from edifice_py.core import gaussian

PRIOR = Partial(standard_normal_log_density)


def model_elbo(
    model: Any,
    data: Any,
    *,
    observation: str = "bernoulli",
    variance: float = 0.5,
    samples: int = 1,
    batch_size: int = 256,
    seed: int = 0,
) -> Score:
    """The ELBO of data under a model, in nats an example.

    It is the negative of the loss of `VAETrainer` with a KL weight of 1, at "bernoulli" for "bce",
    and at "gaussian" with a variance of 1/2 for "mse", there less D / 2 log pi for D features.
    Log-variances are clipped to ±20, as the model clips them where it samples.

    Args:
        model: a VAE of any kind but a VQ-VAE.
        data: an array, a dictionary with the data and the condition, `Examples`, or batches.
        observation: "bernoulli", data in [0, 1]; or "gaussian".
        variance: of the Gaussian, in squared units of the data.
        samples: of the posterior for each example.
        batch_size: examples at a time.
        seed: with `batch_size` it names the samples.

    Returns:
        See `elbo`.

    Raises:
        TypeError: the model or the data are of another kind.
        ValueError: the data do not fit, the model has no Gaussian posterior, its reconstructions
            are no probabilities, or an option is not allowed.
    """
    number = positive_int("samples", samples)
    found = _estimates(
        model,
        data,
        _Observation(observation, variance),
        partial(mean_log_likelihood, samples=number),
        batch_size,
        seed,
    )
    score = elbo(*found)
    options = _options(observation, variance, number, batch_size, seed)
    return Score(score.name, score.value, options, score.details)


def model_log_likelihood(
    model: Any,
    data: Any,
    *,
    observation: str = "bernoulli",
    variance: float = 0.5,
    samples: int = 5000,
    chunk_size: int = 16,
    batch_size: int = 32,
    seed: int = 0,
) -> Score:
    """The importance-weighted estimate of log p(x) under a model, in nats an example.

    Args:
        model: a VAE of any kind but a VQ-VAE.
        data: an array, a dictionary with the data and the condition, `Examples`, or batches.
        observation: "bernoulli", data in [0, 1]; or "gaussian".
        variance: of the Gaussian, in squared units of the data.
        samples: of the posterior for each example, the K of the estimate.
        chunk_size: how many of them are decoded at a time, for `batch_size` examples.
        batch_size: examples at a time.
        seed: with `batch_size` it names the samples.

    Returns:
        See `importance_weighted_log_likelihood`; details: `standard_error`, that of the mean over
        examples, and `examples`.

    Raises:
        TypeError, ValueError: as `model_elbo`.
    """
    number = positive_int("samples", samples)
    size = min(positive_int("chunk_size", chunk_size), number)
    estimate = partial(log_mean_weight, log_prior=PRIOR, samples=number, chunk_size=size)
    view = _Observation(observation, variance)
    found, _, _ = _estimates(model, data, view, estimate, batch_size, seed)
    options = _options(observation, variance, number, batch_size, seed)
    return log_likelihood_score(found, options, {"examples": len(found)})


def model_reconstruction_mse(model: Any, data: Any, *, batch_size: int = 256) -> Score:
    """The mean squared error of a model's reconstructions from posterior means.

    Args:
        model: a VAE of any kind; a VQ-VAE's codes are decoded.
        data: an array, a dictionary with the data and the condition, `Examples`, or batches.
        batch_size: examples at a time.

    Returns:
        The mean over all elements, in squared units of the data; details: `examples`.

    Raises:
        TypeError, ValueError: as `model_elbo`.
    """
    total, count = 0.0, 0
    for inner, batch in _encoded(model, data, "gaussian", batch_size):
        mean, _ = inner.posterior(batch)
        reconstructed = inner.decode(inner.code(mean), batch)
        total += reconstruction_mse(reconstructed, batch.x).value * len(batch.x)
        count += len(batch.x)
    return Score("reconstruction_mse", total / count, {}, {"examples": count})


def _estimates(
    model: Any,
    data: Any,
    view: "_Observation",
    estimate: Callable[..., jax.Array],
    batch_size: int,
    seed: int,
) -> tuple[Array, Array, Array]:
    """An estimate for each example, `[n]`, and the posteriors that it took."""
    if isinstance(model, VQVAE):
        raise ValueError(
            "model must have a Gaussian posterior, which a VQVAE has not; "
            "model_reconstruction_mse and health_report take one."
        )
    of_reconstruction = likelihood(view.name, view.variance)
    key, rows, function = jax.random.key(seed), 0, None
    found: list[tuple[Array, ...]] = []
    for index, (inner, batch) in enumerate(_encoded(model, data, view.name, batch_size)):
        # Padded, so that the smaller last batch is not compiled anew.
        rows = max(rows, len(batch.x))
        full = padded(batch, rows)
        mean, log_var = (jnp.asarray(part) for part in inner.posterior(full))
        log_var = gaussian.clip_log_var(log_var)
        if function is None:
            _check_reconstruction(view.name, inner.decode(mean, full))
            function = inner.likelihood(of_reconstruction)
        x = jax.tree.map(jnp.asarray, (full.x, full.condition))
        values = estimate(x, mean, log_var, jax.random.fold_in(key, index), function)
        count = len(batch.x)
        found.append(tuple(np.asarray(part)[:count] for part in (values, mean, log_var)))
    each, means, log_vars = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return each, means, log_vars


class _Observation(NamedTuple):
    """How data come from reconstructions."""

    name: str
    variance: float


def _encoded(
    model: Any, data: Any, observation: str, batch_size: int
) -> Iterator[tuple[InferenceModel, Batch]]:
    """The compiled model with each batch, as float32 and checked."""
    inner, empty = InferenceModel(model), True
    for batch in batches_of(data, positive_int("batch_size", batch_size), model):
        check_examples(batch.x, loss_type="bce" if observation == "bernoulli" else "mse")
        yield inner, replace(batch, x=np.asarray(batch.x, np.float32))
        empty = False
    if empty:
        raise ValueError("the data must have at least one example, and there is none.")


def _check_reconstruction(observation: str, reconstructed: Array) -> None:
    low, high = float(reconstructed.min()), float(reconstructed.max())
    if observation == "bernoulli" and not 0 <= low <= high <= 1:
        raise ValueError(
            f"the model must give probabilities for observation 'bernoulli', not numbers from "
            f"{low:g} to {high:g}; give its decoder a sigmoid, or use observation 'gaussian'."
        )


def _options(
    observation: str, variance: float, samples: int, batch_size: int, seed: int
) -> dict[str, Any]:
    options: dict[str, Any] = {"observation": observation}
    if observation == "gaussian":
        options["variance"] = variance
    return options | {"samples": samples, "batch_size": batch_size, "seed": seed}
