"""Dense layers with quickly drawn kernels."""

from functools import partial

from flax import nnx

from artifex_compat.generative_models.core.layers.initial import lecun_normal

linear = partial(nnx.Linear, kernel_init=lecun_normal)
"""An `nnx.Linear` as nnx makes it, to the bit."""
