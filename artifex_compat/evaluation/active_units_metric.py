"""Active units."""

from artifex_compat.evaluation.arrays import Array, latents_of
from artifex_compat.evaluation.score import Score, numbers


def active_units(latents: Array, *, threshold: float = 0.01) -> Score:
    r"""How many latents vary with the data.

    The number of latents with \(\operatorname{Var}_x(E_q[z_j]) > \) the threshold.

    Args:
        latents: posterior means, `[n, latent]`.
        threshold: the variance that an active latent is above, in squared units of the latent.

    Returns:
        The number; details: `variances`, and `active`, a bool for each latent.

    Raises:
        TypeError: they are no array of numbers.
        ValueError: they have another rank, or are not finite.

    Example:
        >>> import numpy
        >>> float(active_units(numpy.array([[1.0, 0.0], [-1.0, 0.1]])))
        1.0

    Reference:
        Burda, Grosse and Salakhutdinov (2016), Importance Weighted Autoencoders, section 5.2.
    """
    variances = latents_of(latents).var(axis=0)
    active = variances > threshold
    details = {"variances": numbers(variances), "active": numbers(active)}
    return Score("active_units", float(active.sum()), {"threshold": threshold}, details)
