"""The strictest JAX: no promotion of dtypes or ranks that a formula does not ask for."""

import jax

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
