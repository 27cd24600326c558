"""The codebook of Edifice.Generative.VQVAE: how it starts, and which code an encoding gets."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from edifice_py import checks, nx, random
from edifice_py.core import quantize as core_quantize


@checks.named
def init_codebook(
    num_embeddings: int, embedding_dim: int, key: jax.Array | None = None
) -> jax.Array:
    """A codebook of standard normal numbers.

    Args:
        num_embeddings: how many codes, at least 1.
        embedding_dim: dimensions of a code, at least 1.
        key: the key to draw with; that of the seed 42 where it is not given. The same key gives the
            same codebook.

    Returns:
        float32[num_embeddings, embedding_dim], as `edifice_py.random.normal` draws it.

    Raises:
        TypeError, ValueError: a size is no positive integer, or `key` no key.

    Reference:
        Edifice.Generative.VQVAE.init_codebook/3, which raises where it is called outside of another
        compiled function.

    Example:
        >>> init_codebook(512, 64).shape
        (512, 64)
    """
    shape = (
        checks.positive_int("num_embeddings", num_embeddings),
        checks.positive_int("embedding_dim", embedding_dim),
    )
    codebook, _ = random.normal(random.key(42) if key is None else key, shape)
    return codebook


@checks.named
def quantize(z_e: ArrayLike, codebook: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """The nearest code of each encoding, with the gradient of the encoding.

    Distances are |e|^2 - 2 e c + |c|^2: keep encodings and codes near the origin. Far from it, from
    about 1e3 on in float32, they cancel, and other codes win than in Edifice.

    Args:
        z_e: encodings, `[..., embedding_dim]`; one vector is a batch of one.
        codebook: `[num_embeddings, embedding_dim]`.

    Returns:
        `(z_q, indices)`: z_e + (c - z_e), c the code, in the shape of `z_e`; and which code it is,
        int32 `[...]`. Of equally near codes it is the first. A distance of NaN is the least, and of
        several the last. The gradient of `z_q` goes to `z_e`, and none to the codebook: see `vqvae`
        for the form that learns.

    Raises:
        TypeError, ValueError: an argument is no array, the codebook has not two axes, or the last
            axes differ.

    Reference:
        Edifice.Generative.VQVAE.quantize/2.

    Example:
        >>> z_q, indices = quantize(jnp.array([[0.75, 0.0]]), jnp.array([[0.0, 0.0], [1.0, 0.0]]))
        >>> z_q.tolist(), indices.tolist()
        ([[1.0, 0.0]], [1])
    """
    z_e, codebook = checks.array("z_e", z_e), checks.array("codebook", codebook)
    codes = jnp.shape(codebook)
    if len(codes) != 2 or not codes[0]:
        raise ValueError(
            "codebook must have the shape [num_embeddings, embedding_dim], and a code at least, "
            f"not {list(codes)}."
        )
    if jnp.shape(z_e)[-1:] != codes[1:]:
        raise ValueError(
            f"z_e must have a last axis of {codes[1]}, as the codebook has, "
            f"not the shape {list(jnp.shape(z_e))}."
        )
    with jax.numpy_dtype_promotion("standard"):
        joint = jnp.result_type(z_e, codebook)
    of_integers = jnp.issubdtype(joint, jnp.integer)
    dtype = joint if of_integers else nx.float_type(z_e, codebook)
    return _quantize(jnp.atleast_2d(z_e), jnp.asarray(codebook), dtype)


@partial(jax.jit, static_argnums=2)
def _quantize(z_e: jax.Array, codebook: jax.Array, dtype: np.dtype) -> tuple[jax.Array, jax.Array]:
    working = nx.working(nx.float_type(z_e, codebook))
    vectors, codes = z_e.astype(working), codebook.astype(working)
    not_numbers = jnp.isnan(core_quantize.squared_distances(vectors, codes))
    last = len(codes) - 1 - lax.argmax(not_numbers[..., ::-1], vectors.ndim - 1, jnp.int32)
    nearest = core_quantize.nearest_code(vectors, codes)
    indices = jnp.where(jnp.any(not_numbers, axis=-1), last, nearest)
    if jnp.issubdtype(dtype, jnp.integer):
        return codebook[indices].astype(dtype), indices
    return core_quantize.straight_through(vectors, codes[indices]).astype(dtype), indices
