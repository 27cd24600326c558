"""Schedules: functions of the training step that give the weight of the KL, or its capacity.

A step is a number below 2^31 or an array, counted from 0 and cast to float32 as in Artifex: exact
up to 2^24 steps. No schedule clamps a negative step.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from edifice_py.core.formula import formula

Step = Int[Array, "*steps"] | Float[Array, "*steps"] | int | float
Scalar = Float[Array, ""] | Int[Array, ""] | float | int
Weight = Float[Array, "*steps"]


def _float32(number: Step) -> Weight:
    return jnp.asarray(number, jnp.float32)


@formula
def constant(step: Step, beta: Scalar) -> Weight:
    r"""\(\beta\) at every step.

    Args:
        step: training step, any shape.
        beta: the weight.

    Returns:
        The weight, in the shape of `step`.

    Reference:
        Artifex, VAE Trainer, "None (Constant)".

    Example:
        >>> float(constant(7, 4.0))
        4.0
    """
    return jnp.full_like(_float32(step), beta)


@formula
def linear(step: Step, beta: Scalar, warmup_steps: Scalar) -> Weight:
    r"""\(\beta \min(1, t / w)\): from 0 at the first step to beta at step w, and beta from there.

    Args:
        step: training step t, any shape.
        beta: the final weight.
        warmup_steps: steps w to the final weight; less than 1 counts as 1.

    Returns:
        The weight, in the shape of `step`.

    Reference:
        Artifex, VAE Trainer, "Linear Warmup"; Bowman et al. (2016), Generating Sentences from a
        Continuous Space, section 3.1.

    Example:
        >>> linear(jnp.array([0, 5, 20]), 4.0, 10).tolist()
        [0.0, 2.0, 4.0]
    """
    return _float32(beta) * jnp.minimum(
        1.0, _float32(step) / jnp.maximum(1.0, _float32(warmup_steps))
    )


@formula
def sigmoid(step: Step, beta: Scalar, warmup_steps: Scalar) -> Weight:
    r"""\(\beta / (1 + e^{-(t - w/2) / (w/10)})\): an S centred at half the warm-up.

    At step w it has reached 99.3 % of beta, for w of at least 10.

    Args:
        step: training step t, any shape.
        beta: the final weight.
        warmup_steps: the length w of the S. The scale w/10 is at least 1.

    Returns:
        The weight, in the shape of `step`.

    Reference:
        Artifex, VAE Trainer, "Sigmoid Warmup".

    Example:
        >>> float(sigmoid(50, 4.0, 100))
        2.0
    """
    length = _float32(warmup_steps)
    scale = jnp.maximum(1.0, length / 10)
    return _float32(beta) * jax.nn.sigmoid((_float32(step) - length / 2) / scale)


@formula
def cyclical(step: Step, beta: Scalar, period: Scalar) -> Weight:
    r"""\(\beta \min(1, (t \bmod p) / (p/2))\): half a period of ramp, half of beta.

    Args:
        step: training step t, any shape.
        beta: the weight in the second half of each period.
        period: steps p of a cycle. Half of it is at least 1; 0 gives NaN.

    Returns:
        The weight, in the shape of `step`.

    Reference:
        Fu et al. (2019), Cyclical Annealing Schedule, equation 6 with R = 1/2; Artifex, VAE
        Trainer, "Cyclical Annealing".

    Example:
        >>> cyclical(jnp.array([0, 2, 4, 9, 10]), 1.0, 8).tolist()
        [0.0, 0.5, 1.0, 0.25, 0.5]
    """
    length = _float32(period)
    ramp = jnp.mod(_float32(step), length) / jnp.maximum(1.0, length / 2)
    return _float32(beta) * jnp.minimum(1.0, ramp)


@formula
def capacity(step: Step, maximum: Scalar, num_iter: Scalar) -> Weight:
    r"""\(\min(C, C\,t / n)\): the KL to hold, from 0 to C over n steps.

    Args:
        step: training step t, any shape.
        maximum: the final capacity C, in nats.
        num_iter: steps n to reach it, at least 1.

    Returns:
        The capacity in nats, in the shape of `step`.

    Reference:
        Burgess et al. (2018), Understanding disentangling in beta-VAE, section 5.

    Example:
        >>> capacity(jnp.array([0, 256, 2000]), 25.0, 1024).tolist()
        [0.0, 6.25, 25.0]
    """
    most = _float32(maximum)
    return jnp.minimum(most, most * _float32(step) / _float32(num_iter))
