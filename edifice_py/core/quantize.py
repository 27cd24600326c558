"""Vector quantization: codes, their losses, how evenly they are used, and the moving averages."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from edifice_py.core.formula import formula

LOG_OFFSET = 1e-10
"""`perplexity` adds this inside its logarithm, so that unused codes count as nothing."""

Vectors = Float[Array, "*batch dim"]
Codebook = Float[Array, "codes dim"]
Scalar = Float[Array, ""] | Int[Array, ""] | float | int


@formula
def squared_distances(vectors: Vectors, codebook: Codebook) -> Float[Array, "*batch codes"]:
    r"""\(|e|^2 + |c|^2 - 2 e \cdot c\) for every vector e and every code c.

    Args:
        vectors: `[..., dim]`.
        codebook: `[codes, dim]`.

    Returns:
        `[..., codes]`, in squared units of the vectors. Each is off by the rounding of |e|^2, which
        can make one near 0 negative: keep vectors near the origin.

    Reference:
        Workshop, Advanced VAE Examples, "VQ-VAE Implementation".

    Example:
        >>> squared_distances(jnp.array([[1.0, 0.0]]), jnp.array([[1.0, 0.0], [0.0, 2.0]])).tolist()
        [[0.0, 5.0]]
    """
    products = jnp.matmul(vectors, codebook.T, precision=lax.Precision.HIGHEST)
    of_vectors = jnp.sum(jnp.square(vectors), axis=-1, keepdims=True)
    of_codes = jnp.sum(jnp.square(codebook), axis=-1)[(None,) * (vectors.ndim - 1)]
    return of_vectors + of_codes - 2 * products


@formula
def nearest_code(vectors: Vectors, codebook: Codebook) -> Int[Array, "*batch"]:
    """The index of the nearest code of each vector; of equally near ones, the lowest.

    Args:
        vectors: `[..., dim]`.
        codebook: `[codes, dim]`.

    Returns:
        `[...]`, int32. It has no gradient.

    Reference:
        van den Oord et al. (2017), Neural Discrete Representation Learning, equation 1.

    Example:
        >>> nearest_code(jnp.array([[0.9, 0.0]]), jnp.array([[0.0, 0.0], [1.0, 0.0]])).tolist()
        [1]
    """
    return lax.argmin(squared_distances(vectors, codebook), vectors.ndim - 1, jnp.int32)


@formula
def counts(indices: Int[Array, " batch"], codebook: Codebook) -> Int[Array, " codes"]:
    r"""How many vectors each code got: \(n_k = \sum_b [i_b = k]\).

    Args:
        indices: the code of each vector, `[batch]`, from 0 to codes - 1.
        codebook: `[codes, dim]`.

    Returns:
        `[codes]`, int32. It has no gradient.

    Reference:
        van den Oord et al. (2017), appendix A.1, n_i.

    Example:
        >>> counts(jnp.array([1, 1]), jnp.zeros((3, 2))).tolist()
        [0, 2, 0]
    """
    codes = jnp.arange(codebook.shape[0], dtype=indices.dtype)
    return jnp.sum(indices[:, None] == codes[None], axis=0, dtype=jnp.int32)


@formula
def straight_through(vectors: Vectors, codes: Vectors) -> Vectors:
    r"""The value of `codes` with the gradient of `vectors`.

    Args:
        vectors: encoder output, `[..., dim]`.
        codes: the code of each, same shape.

    Returns:
        The same shape: \(e + (c - e)\), the bracket without gradient.

    Reference:
        van den Oord et al. (2017), section 3.2; Bengio et al. (2013).

    Example:
        >>> straight_through(jnp.array([0.75]), jnp.array([1.0])).tolist()
        [1.0]
    """
    return vectors + lax.stop_gradient(codes - vectors)


@formula
def codebook_loss(vectors: Vectors, codes: Vectors) -> Float[Array, ""]:
    """Mean square of `codes` minus `vectors`, which moves the codes only.

    Args:
        vectors: encoder output, `[..., dim]`.
        codes: the code of each, same shape.

    Returns:
        A scalar in squared units of the vectors.

    Reference:
        van den Oord et al. (2017), equation 3, second term; mean over all elements as in Artifex.

    Example:
        >>> float(codebook_loss(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]])))
        2.0
    """
    return jnp.mean(jnp.square(codes - lax.stop_gradient(vectors)))


@formula
def commitment_loss(vectors: Vectors, codes: Vectors) -> Float[Array, ""]:
    """Mean square of `codes` minus `vectors`, which moves the encoder only.

    Args:
        vectors: encoder output, `[..., dim]`.
        codes: the code of each, same shape.

    Returns:
        A scalar in squared units of the vectors.

    Reference:
        van den Oord et al. (2017), equation 3, third term; mean over all elements as in Artifex.

    Example:
        >>> float(commitment_loss(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]])))
        2.0
    """
    return jnp.mean(jnp.square(lax.stop_gradient(codes) - vectors))


@formula
def perplexity(usage: Float[Array, " codes"]) -> Float[Array, ""]:
    r"""\(\exp(-\sum_k p_k \log(p_k + 10^{-10}))\): how many codes are in even use.

    Args:
        usage: how often each code was used, `[codes]`, in any unit; not all zero.

    Returns:
        A scalar from 1 (one code) to `codes` (all of them equally).

    Reference:
        Workshop, Advanced VAE Examples, "VQ-VAE Implementation".

    Example:
        >>> round(float(perplexity(jnp.array([3.0, 3.0, 0.0]))), 5)
        2.0
    """
    p = usage / jnp.sum(usage)
    return jnp.exp(-jnp.sum(p * jnp.log(p + LOG_OFFSET)))


class MovingCodebook(NamedTuple):
    """A codebook kept by moving averages."""

    usage: Float[Array, " codes"]
    """Moving average of the number of vectors a code received."""
    total: Codebook
    """Moving average of the sum of those vectors."""
    codebook: Codebook
    """`total` over smoothed `usage`."""


@formula
def ema_update(
    state: MovingCodebook,
    vectors: Float[Array, "batch dim"],
    indices: Int[Array, " batch"],
    decay: Scalar,
    epsilon: Scalar = 1e-5,
) -> MovingCodebook:
    r"""Move usage and totals towards a batch, and take the codebook from them.

    \(N \leftarrow \gamma N + (1-\gamma) n\), \(m \leftarrow \gamma m + (1-\gamma) \sum e\),
    \(c = m / \tilde N\), smoothed after Laplace: \(\tilde N = (N + \epsilon) S / (S + K\epsilon)\)
    with S the sum of N over the K codes.

    Args:
        state: the averages so far.
        vectors: encoder output of the batch, `[batch, dim]`.
        indices: the code of each vector, `[batch]`, from 0 to codes - 1.
        decay: what remains of the old averages, in [0, 1].
        epsilon: smoothing, in vectors a code.

    Returns:
        The new averages and codebook, which is the old one while nothing was ever used. It has no
        use for gradients.

    Reference:
        van den Oord et al. (2017), appendix A.1; the smoothing is that of Sonnet's
        VectorQuantizerEMA.

    Example:
        >>> old = MovingCodebook(jnp.ones(1), jnp.zeros((1, 1)), jnp.zeros((1, 1)))
        >>> ema_update(old, jnp.array([[4.0]]), jnp.array([0]), decay=0.5).codebook.tolist()
        [[2.0]]
    """
    codes = state.usage.shape[0]
    received = counts(indices, state.codebook).astype(state.usage.dtype)
    sums = jnp.zeros_like(state.total).at[indices].add(vectors)
    usage = decay * state.usage + (1 - decay) * received
    total = decay * state.total + (1 - decay) * sums
    size = jnp.sum(usage)
    smoothed = (usage + epsilon) / (size + codes * epsilon) * size
    used = smoothed[:, None] > 0
    codebook = jnp.where(used, total / jnp.where(used, smoothed[:, None], 1), state.codebook)
    return MovingCodebook(usage, total, codebook)


@formula
def replace_dead_codes(
    state: MovingCodebook, replacements: Codebook, threshold: Scalar
) -> MovingCodebook:
    r"""Put every code whose usage is below a threshold somewhere else.

    Its usage starts again at the threshold, and its total where that keeps it in its new place.

    Args:
        state: the averages.
        replacements: where to put each code if it is dead, `[codes, dim]`.
        threshold: the least usage, in vectors a batch.

    Returns:
        The averages and the codebook. It has no use for gradients.

    Reference:
        Zeghidour et al. (2021), SoundStream, section III.C, with a threshold of 2; Williams et al.
        (2020), Hierarchical Quantized Autoencoders, section 3.3.

    Example:
        >>> codes = jnp.array([[2.0], [2.0]])
        >>> old = MovingCodebook(jnp.array([3.0, 0.5]), jnp.array([[6.0], [1.0]]), codes)
        >>> replace_dead_codes(old, jnp.array([[7.0], [9.0]]), 1.0).codebook.tolist()
        [[2.0], [9.0]]
    """
    dead = state.usage < threshold
    usage = jnp.where(dead, threshold, state.usage)
    codebook = jnp.where(dead[:, None], replacements, state.codebook)
    total = jnp.where(dead[:, None], codebook * usage[:, None], state.total)
    return MovingCodebook(usage, total, codebook)


@formula
def kmeans(
    vectors: Float[Array, "batch dim"], initial: Codebook, iterations: Int[Array, ""] | int
) -> Codebook:
    """Lloyd's k-means: each center moves to the mean of the vectors nearest to it, some times.

    Args:
        vectors: what to cluster, `[batch, dim]`, near the origin: see `squared_distances`.
        initial: the centers to start from, `[codes, dim]`.
        iterations: how many times.

    Returns:
        The centers, `[codes, dim]`; one that no vector is nearest to stays where it is. It has no
        use for gradients.

    Reference:
        Lloyd (1982), Least squares quantization in PCM.

    Example:
        >>> kmeans(jnp.array([[0.0], [2.0], [9.0]]), jnp.array([[0.0], [8.0]]), 5).tolist()
        [[1.0], [9.0]]
    """

    def step(_: Int[Array, ""] | int, centers: Codebook) -> Codebook:
        indices = nearest_code(vectors, centers)
        received = counts(indices, centers)[:, None].astype(centers.dtype)
        sums = jnp.zeros_like(centers).at[indices].add(vectors)
        return jnp.where(received > 0, sums / jnp.maximum(received, 1), centers)

    return lax.fori_loop(0, iterations, step, initial)
