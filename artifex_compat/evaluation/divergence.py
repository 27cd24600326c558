"""How far the posterior is from the prior, dimension by dimension."""

import jax.numpy as jnp
import numpy as np

from artifex_compat.evaluation.arrays import Array
from artifex_compat.evaluation.score import Score, numbers
from edifice_py.checks import same_shape
from edifice_py.core import gaussian


def kl_per_dimension(mean: Array, log_var: Array) -> Score:
    """KL of the posterior from the prior: its sum over latents, and each of them.

    Args:
        mean: posterior means, `[n, latent]`, or on a grid, `[n, height, width, latent]`, of which
            every place is a dimension.
        log_var: logs of the posterior variances, same shape.

    Returns:
        The total in nats, mean over the examples; details: `per_dimension`, in nats.

    Raises:
        TypeError: one of them is no array of numbers.
        ValueError: their shapes differ, or there is no example.

    Reference:
        Kingma and Welling (2014), appendix B: `edifice_py.core.gaussian.kl_per_dimension`.
    """
    per_dimension = kl_of_examples(mean, log_var).mean(axis=0)
    details = {"per_dimension": numbers(per_dimension)}
    return Score("kl_per_dimension", float(per_dimension.sum()), {}, details)


def collapsed_dimensions(
    mean: Array, log_var: Array, *, epsilon: float = 0.01, delta: float = 0.01
) -> tuple[int, ...]:
    r"""The dimensions whose posterior has collapsed onto the prior.

    Those with \(P_x(\mathrm{KL}(q(z_j|x) \| p(z_j)) < \epsilon) \ge 1 - \delta\).

    Args:
        mean: posterior means, `[n, latent]` or on a grid.
        log_var: logs of the posterior variances, same shape.
        epsilon: in nats.
        delta: the share of examples that may be further from the prior.

    Raises:
        TypeError, ValueError: as `kl_per_dimension`.

    Example:
        >>> collapsed_dimensions(np.array([[0.0, 2.0]]), np.zeros((1, 2)))
        (0,)

    Reference:
        Lucas, Tucker, Grosse and Norouzi (2019), Don't Blame the ELBO!, definition 1.
    """
    near = (kl_of_examples(mean, log_var) < epsilon).mean(axis=0) >= 1 - delta
    return numbers(np.flatnonzero(near))


def kl_of_examples(mean: Array, log_var: Array) -> Array:
    """KL of each example and dimension in nats, float64 `[n, dimensions]`.

    Raises:
        TypeError, ValueError: as `kl_per_dimension`.
    """
    arrays = same_shape(mean=mean, log_var=log_var)
    shape = np.shape(mean)
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"mean must be [n, latent] with at least 1 example, not {list(shape)}.")
    kl = gaussian.kl_per_dimension(*map(jnp.asarray, arrays))
    return np.asarray(kl).astype(np.float64).reshape(shape[0], -1)
