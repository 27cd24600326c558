"""`evaluate_disentanglement` of the documents, for any model and data."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from artifex_compat.evaluation.active_units_metric import active_units
from artifex_compat.evaluation.arrays import PER_VALUE, Array, check_finite, classes_of_factors
from artifex_compat.evaluation.batches import batches_of, in_memory, rows_of, slices
from artifex_compat.evaluation.beta_vae_metric import beta_vae_score
from artifex_compat.evaluation.dci_metric import dci
from artifex_compat.evaluation.discrete import discretize, mutual_information
from artifex_compat.evaluation.factor_vae_metric import factor_vae_score
from artifex_compat.evaluation.inference import posterior_of_data
from artifex_compat.evaluation.mig_metric import mig
from artifex_compat.evaluation.modularity_metric import modularity
from artifex_compat.evaluation.sap_metric import sap
from artifex_compat.evaluation.score import Score, numbers
from edifice_py.checks import array, choice, positive_int

BATCH = 256
MI_BINS = 10
"""The page's number of bins for its mean mutual information."""


def evaluate_disentanglement(
    model: Any,
    dataset: Any,
    num_samples: int = 1000,
    *,
    metrics: Sequence[str] | None = None,
    regressor: str = "random_forest",
    seed: int = 0,
    verbose: bool = True,
) -> dict[str, Any]:
    """Evaluate how disentangled a model's latents are, and print it.

    The latents are posterior means, in inference mode. With labels, which are taken for factors,
    all metrics are computed; without, only those that need none. A factor that the condition of a
    conditional model tells is left out: its latents need not hold it.

    Args:
        model: a VAE of any kind, or another `nnx.Module` that is called as they are.
        dataset: an array; a dictionary of arrays, as `parse_batch` reads it, with factors `[n]` or
            `[n, factors]` under "factors" or "labels"; `Examples`; or an iterable of such batches.
        num_samples: how many examples to take at most: of data in memory a random choice, of
            batches the first.
        metrics: some of mig, sap, dci, modularity, factor_vae and beta_vae; all that the factors
            allow where not given.
        regressor: of `dci`.
        seed: names the choice of examples, and the draws of the metrics.
        verbose: whether to print.

    Returns:
        `active_dimensions`, how many latents have a variance above 0.01, and `latent_variances`.
        With factors also `mean_mutual_information` in nats, over all latents in 10 bins and all
        factors; each metric by its name, `dci` as `dci_disentanglement`, `dci_completeness` and
        `dci_informativeness`;
        `factors_left_out`, those that do not vary among the examples or that the condition tells;
        `factors_of_condition`, the latter alone; and `scores`, each score with its options, details
        and versions, for JSON.

    Raises:
        TypeError: the model or the data are of another kind.
        ValueError: the data do not fit the model, there are fewer than two examples, there is no
            such metric, or the factors do not allow it.
        ImportError: there are factors, and scikit-learn is not installed.

    Reference:
        Advanced VAE Examples, "Disentanglement Evaluation". Differs from the page, whose code
        cannot run: it computes the information of the labels, where the page has that of a
        column's number; takes labels of any rank, and batches of any size.
    """
    chosen = None if metrics is None else [choice("metrics", name, METRICS) for name in metrics]
    batches = list(_first(model, dataset, positive_int("num_samples", num_samples), seed))
    mean, _ = posterior_of_data(model, batches)
    latents = mean.reshape(len(mean), -1)
    units = active_units(latents)
    scores = [units]
    results: dict[str, Any] = {
        "active_dimensions": int(units.value),
        "latent_variances": list(units.details["variances"]),
    }
    factors = _joined([batch.factors for batch in batches])
    if factors is not None:
        _check_numbers(factors)
        given = _told_by(_joined([batch.condition for batch in batches]), factors)
        kept = (np.ptp(factors, axis=0) > 0) & ~given
        if chosen is None and given.any() and not kept.any():
            found = []
        else:
            found = _scores(latents, factors[:, kept], chosen, regressor, seed)
        results |= {score.name: score.value for score in found}
        results["factors_left_out"] = numbers(np.flatnonzero(~kept))
        results["factors_of_condition"] = numbers(np.flatnonzero(given))
        scores += found
    results["scores"] = [score.as_dict() for score in scores]
    if verbose:
        _print(results)
    return results


def _mutual_information(latents: Array, factors: Array) -> Score:
    classes = classes_of_factors(factors, len(latents))
    information = mutual_information(discretize(latents, MI_BINS), classes)
    details = {"mutual_information": numbers(information)}
    return Score("mean_mutual_information", float(information.mean()), {"bins": MI_BINS}, details)


def _dci(z: Array, factors: Array, regressor: str, seed: int) -> list[Score]:
    found = dci(z, factors, regressor=regressor, seed=seed)
    return [found.disentanglement, found.completeness, found.informativeness]


METRICS: dict[str, Callable[[Array, Array, str, int], list[Score]]] = {
    "mig": lambda z, factors, _, seed: [mig(z, factors)],  # noqa: ARG005
    "sap": lambda z, factors, _, seed: [sap(z, factors, seed=seed)],
    "dci": _dci,
    "modularity": lambda z, factors, _, seed: [modularity(z, factors)],  # noqa: ARG005
    "factor_vae": lambda z, factors, _, seed: [factor_vae_score(z, factors, seed=seed)],
    "beta_vae": lambda z, factors, _, seed: [beta_vae_score(z, factors, seed=seed)],
}
_OF_ONE_FACTOR = ("mig", "sap")
"""The others ask which factor it is."""


def _scores(
    latents: Array, factors: Array, chosen: list[str] | None, regressor: str, seed: int
) -> list[Score]:
    if factors.shape[1] == 0:
        raise ValueError(
            "the labels must vary among the examples, other than by the condition, and none does: "
            "give others."
        )
    names = chosen
    if names is None:
        names = list(METRICS if factors.shape[1] > 1 else _OF_ONE_FACTOR)
    found = [_mutual_information(latents, factors)]
    for name in names:
        found += METRICS[name](latents, factors, regressor, seed)
    return found


def _first(model: Any, dataset: Any, count: int, seed: int) -> Any:
    """Batches of `count` examples in all, or of all where there are fewer."""
    whole = in_memory(dataset, model)
    if whole is not None and len(whole.x) > count:
        generator = np.random.default_rng(seed)
        whole = rows_of(whole, np.sort(generator.choice(len(whole.x), count, replace=False)))
    left = count
    for batch in batches_of(dataset, BATCH, model) if whole is None else slices(whole, BATCH):
        yield rows_of(batch, slice(0, left))
        left -= len(batch.x)
        if left <= 0:
            return


def _joined(parts: list[Array | None]) -> Array | None:
    """Factors or conditions of all batches as rows, None where a batch has none."""
    rows = [part.reshape(len(part), -1) for part in parts if part is not None]
    return np.concatenate(rows) if len(rows) == len(parts) else None


def _check_numbers(factors: Array) -> None:
    if factors.dtype.kind in "USO":
        raise TypeError(
            f"factors must be numbers, not text ({factors.dtype}): give the number of each class, "
            "as numpy.unique(factors, return_inverse=True)[1] does."
        )
    check_finite("factors", np.asarray(array("factors", factors)))


def _told_by(condition: Array | None, factors: Array) -> Array:
    """Which factors a condition leaves nothing of: all its examples of a class have one value."""
    told = np.zeros(factors.shape[1], bool)
    if condition is None:
        return told
    _, classes = np.unique(condition, axis=0, return_inverse=True)
    count = int(classes.max()) + 1
    if count * PER_VALUE > len(factors):
        return told  # nearly every example has a condition of its own
    for index, column in enumerate(factors.T):
        _, values = np.unique(column, return_inverse=True)
        pairs = np.stack([classes.reshape(-1), values.reshape(-1)])
        told[index] = np.unique(pairs, axis=1).shape[1] == count
    return told


def _print(results: dict[str, Any]) -> None:
    variances = results["latent_variances"]
    print(f"Active dimensions: {results['active_dimensions']} / {len(variances)}")
    print(f"Latent variances: {np.round(variances, 4).tolist()}")
    for score in results["scores"][1:]:
        print(f"{score['name']}: {score['value']:.4f}")
