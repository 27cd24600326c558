"""The mutual information gap."""

import numpy as np

from artifex_compat.evaluation.arrays import Array, classes_of_factors, latents_of, top_two
from artifex_compat.evaluation.discrete import discretize, entropies, mutual_information
from artifex_compat.evaluation.score import Score, numbers


def mig(latents: Array, factors: Array, *, bins: int = 20) -> Score:
    r"""Whether each factor is told by one latent alone.

    \(\frac{1}{K} \sum_k \frac{1}{H(v_k)} \left( I(z_{j_k}; v_k) - \max_{j \ne j_k} I(z_j; v_k)
    \right)\), with \(j_k\) the latent that tells most about factor k. 1 where one latent tells
    everything about a factor and no other anything; 0 where the best two tell as much.

    Args:
        latents: posterior means, `[n, latent]`, at least two latents.
        factors: classes, `[n, factors]` or `[n]`.
        bins: how many bins of equal width a latent is cut into.

    Returns:
        A score in [0, 1]; details: `per_factor`, `best_latent`, and `mutual_information` in nats,
        `[latent, factors]`.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes do not fit, they are not finite, or a factor does not vary or is
            no class.
        ImportError: scikit-learn is not installed.

    Reference:
        Chen, Li, Grosse and Duvenaud (2018), Isolating Sources of Disentanglement in VAEs,
        equation 6; in bins as Locatello et al. (2019), appendix C.
    """
    z = latents_of(latents, least=2)
    classes = classes_of_factors(factors, len(z))
    information = mutual_information(discretize(z, bins), classes)
    gaps, best = top_two(information)
    per_factor = gaps / entropies(classes)
    details = {
        "per_factor": numbers(per_factor),
        "best_latent": numbers(best),
        "mutual_information": numbers(information),
    }
    return Score("mig", float(np.mean(per_factor)), {"bins": bins}, details)
