"""The conventions of `golden/conventions` in float64, by quantity and name.

Each takes the inputs and options of its question, and gives its outputs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from golden.arrays import Array
from golden.reference import gaussian, quantize

Formula = Callable[..., Mapping[str, Any]]
Reduction = Callable[[Array], Array]

_REDUCTIONS: dict[str, Reduction] = {
    "mean-elements": lambda v: v.sum() / v.size,
    "sum-features": lambda v: v.sum() / len(v),
    "sum-latent": lambda v: v.sum() / len(v),
    "sum-all": lambda v: v.sum(),
    "sum-last-axis": lambda v: v.sum(axis=-1).mean(),
    "mean-features-sum-batch": lambda v: v.sum() / v[0].size,
    "mean-latent-sum-batch": lambda v: v.sum() / v[0].size,
    "half-mean-elements": lambda v: v.sum() / 2 / v.size,
    "half-sum-features": lambda v: v.sum() / 2 / len(v),
    "half-sum-all": lambda v: v.sum() / 2,
    "gaussian": lambda v: (v + np.log(2 * np.pi)).sum() / 2 / len(v),
}
_LIMITS = {
    "limit-1e-6": 1e-6,
    "limit-float32-epsilon": 2.0**-23,
    "limit-1e-7": 1e-7,
    "limit-1e-8": 1e-8,
    "limit-1e-10": 1e-10,
    "logarithm-100": np.exp(-100),
    "unlimited": 0.0,
}
_CAPACITIES: dict[str, Reduction] = {
    "absolute": np.abs,
    "squared": np.square,
    "excess": lambda distance: np.maximum(distance, 0),
    "squared-excess": lambda distance: np.maximum(distance, 0) ** 2,
    "signed": lambda distance: distance,
}
_FREE_BITS: dict[str, Callable[[Array, float], Array]] = {
    "dimension-and-sample": lambda kl, floor: np.maximum(kl, floor).sum() / len(kl),
    "dimension-of-batch-mean": lambda kl, floor: np.maximum(kl.mean(axis=0), floor).sum(),
    "sample": lambda kl, floor: np.maximum(kl.sum(axis=1), floor).mean(),
    "total": lambda kl, floor: np.maximum(kl.sum() / len(kl), floor),
    "shared": lambda kl, floor: np.maximum(kl, floor / kl.shape[1]).sum() / len(kl),
    "excess-of-dimension-and-sample": lambda kl, f: np.maximum(kl - f, 0).sum() / len(kl),
    "excess-of-total": lambda kl, floor: np.maximum(kl.sum() / len(kl) - floor, 0),
    "ignored": lambda kl, floor: kl.sum() / len(kl) + 0 * floor,
}
_SCALES: dict[str, Reduction] = {
    "unclipped": lambda log_var: np.exp(log_var / 2),
    "clipped-20": lambda log_var: np.exp(np.clip(log_var, -20, 20) / 2),
    "clipped-30-20": lambda log_var: np.exp(np.clip(log_var, -30, 20) / 2),
    "log-deviation": np.exp,
    "softplus": lambda log_var: np.logaddexp(0, log_var),
    "softplus-variance": lambda log_var: np.sqrt(np.logaddexp(0, log_var)),
}


def _squared(reduce: Reduction, reconstruction: Array, target: Array) -> Mapping[str, Any]:
    return {"value": reduce((reconstruction - target) ** 2)}


def _bernoulli(reduce: Reduction, reconstruction: Array, target: Array) -> Mapping[str, Any]:
    log_p, log_q = np.log(reconstruction), np.log(1 - reconstruction)
    return {"value": reduce(-target * log_p - (1 - target) * log_q)}


def _saturation(limit: float, reconstruction: Array, target: Array) -> Mapping[str, Any]:
    """The cross-entropy with targets of 1, p no less than a limit."""
    with np.errstate(divide="ignore"):
        return {"value": -np.sum(target * np.log(np.maximum(reconstruction, limit)))}


def _kl(reduce: Reduction, mean: Array, log_var: Array) -> Mapping[str, Any]:
    return {"value": reduce(gaussian.kl_per_dimension(mean, log_var))}


def _capacity(
    penalty: Reduction, mean: Array, log_var: Array, capacity: Array, gamma: float
) -> Mapping[str, Any]:
    return {"value": gamma * penalty(gaussian.kl_divergence(mean, log_var) - capacity)}


def _free_bits(
    term: Callable[[Array, float], Array], mean: Array, log_var: Array, floor: float
) -> Mapping[str, Any]:
    kl = gaussian.kl_per_dimension(mean, log_var)
    return {"value": term(kl, floor) / (kl.sum() / len(kl))}


def _log_variance(scale: Reduction, log_var: Array) -> Mapping[str, Any]:
    return {"value": scale(log_var)}


def _vector_quantization(
    weights: Callable[[Array, float], tuple[float, float]],
    encoding: Array,
    codebook: Array,
    commitment_cost: float,
) -> Mapping[str, Any]:
    """The gradients of both squares of e - c, each of which moves one side alone."""
    indices = quantize.nearest_code(encoding, codebook)
    distance = encoding - codebook[indices]
    of_commitment, of_codebook = weights(encoding, commitment_cost)
    return {
        "grad_encoding": 2 * of_commitment * distance,
        "grad_codebook": -2 * of_codebook * (np.eye(len(codebook))[indices].T @ distance),
    }


def _moving_average(
    smoothing: str,
    usage: Array,
    total: Array,
    codebook: Array,
    vectors: Array,
    indices: Array,
    decay: float,
    epsilon: float,
    times: int,
) -> Mapping[str, Any]:
    """Updates with the same vectors again and again; smoothing is of the division, or of counts."""
    del codebook
    one_hot = np.eye(len(usage))[indices]
    for _ in range(times):
        usage = decay * usage + (1 - decay) * one_hot.sum(axis=0)
        total = decay * total + (1 - decay) * (one_hot.T @ vectors)
        divisor = usage
        if smoothing != "counts":
            share = (usage + epsilon) / (usage.sum() + len(usage) * epsilon)
            divisor = share * usage.sum()
        if smoothing == "smoothed-counts":
            usage = divisor
    return {"codebook": total / divisor[:, None]}


def _moving_codes(
    codebook: Array, vectors: Array, indices: Array, decay: float, times: int, **others: Any
) -> Mapping[str, Any]:
    del others
    codes = codebook.copy()
    for _ in range(times):
        for code in np.unique(indices):
            codes[code] = decay * codes[code] + (1 - decay) * vectors[indices == code].mean(axis=0)
    return {"codebook": codes}


def _each(formula: Formula, variants: Mapping[str, Any], *names: str) -> dict[str, Formula]:
    """A formula with each variant of what it takes first, or with those of some names."""
    return {name: partial(formula, variants[name]) for name in names or variants}


_OF_DATA = ("mean-elements", "sum-features", "sum-all", "sum-last-axis", "mean-features-sum-batch")
_HALVES = ("half-mean-elements", "half-sum-features", "half-sum-all", "gaussian")
_OF_MAPS = ("sum-latent", "sum-last-axis", "mean-elements", "sum-all")
_WEIGHTS: dict[str, Callable[[Array, float], tuple[float, float]]] = {
    "means": lambda e, cost: (cost / e.size, 1 / e.size),
    "sum-dimensions": lambda e, cost: (cost / len(e), 1 / len(e)),
    "sum-all": lambda _, cost: (cost, 1),
    "means-cost-of-codebook": lambda e, cost: (1 / e.size, cost / e.size),
    "means-commitment-alone": lambda e, cost: (cost / e.size, 0),
}

FORMULAS: Mapping[str, Mapping[str, Formula]] = {
    "reconstruction": _each(_squared, _REDUCTIONS, *_OF_DATA, *_HALVES),
    "bernoulli": _each(_bernoulli, _REDUCTIONS, *_OF_DATA),
    "saturation": _each(_saturation, _LIMITS),
    "kl": _each(
        _kl, _REDUCTIONS, "sum-latent", "mean-elements", "sum-all", "mean-latent-sum-batch"
    ),
    "kl_of_maps": _each(_kl, _REDUCTIONS, *_OF_MAPS),
    "capacity": _each(_capacity, _CAPACITIES),
    "free_bits": _each(_free_bits, _FREE_BITS),
    "log_variance": _each(_log_variance, _SCALES),
    "vector_quantization": _each(_vector_quantization, _WEIGHTS),
    "moving_average": {
        **{
            name: partial(_moving_average, name)
            for name in ("smoothed-division", "smoothed-counts", "counts")
        },
        "codes": _moving_codes,
    },
}
"""By quantity, and by the name of the convention."""
