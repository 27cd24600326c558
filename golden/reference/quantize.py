"""Vector quantization in float64 (van den Oord et al., 2017)."""

import numpy as np

from golden.arrays import Array


def squared_distances(vectors: Array, codebook: Array) -> Array:
    """|e - c|^2 of every vector and every code."""
    return ((vectors[..., None, :] - codebook) ** 2).sum(axis=-1)


def nearest_code(vectors: Array, codebook: Array) -> Array:
    """The first index of the least distance (equation 1)."""
    return np.argmin(squared_distances(vectors, codebook), axis=-1).astype(np.int32)


def counts(indices: Array, codebook: Array) -> Array:
    """How often each code was the nearest (appendix A.1)."""
    return np.bincount(np.asarray(indices, np.int64), minlength=len(codebook)).astype(np.int32)


def straight_through(vectors: Array, codes: Array) -> Array:
    """The codes; their gradient goes to the vectors (section 3.2)."""
    del vectors
    return codes


def codebook_loss(vectors: Array, codes: Array) -> Array:
    """Mean of (c - e)^2 (equation 3, second term)."""
    return np.mean((vectors - codes) ** 2)


def commitment_loss(vectors: Array, codes: Array) -> Array:
    """Mean of (c - e)^2 (equation 3, third term)."""
    return codebook_loss(vectors, codes)


def straight_through_grad_vectors(vectors: Array, codes: Array) -> Array:
    """1."""
    del codes
    return np.ones_like(vectors)


def straight_through_grad_codes(vectors: Array, codes: Array) -> Array:
    """0."""
    del vectors
    return np.zeros_like(codes)


def codebook_loss_grad_vectors(vectors: Array, codes: Array) -> Array:
    """0."""
    del codes
    return np.zeros_like(vectors)


def codebook_loss_grad_codes(vectors: Array, codes: Array) -> Array:
    """2 (c - e) / N."""
    return 2 * (codes - vectors) / codes.size


def commitment_loss_grad_vectors(vectors: Array, codes: Array) -> Array:
    """2 (e - c) / N."""
    return 2 * (vectors - codes) / codes.size


def commitment_loss_grad_codes(vectors: Array, codes: Array) -> Array:
    """0."""
    del vectors
    return np.zeros_like(codes)


def perplexity(usage: Array) -> Array:
    """The exponential of the entropy of usage, with 1e-10 inside the logarithm."""
    p = usage / usage.sum()
    return np.exp(-(p * np.log(p + 1e-10)).sum())


def ema_update(
    usage: Array,
    total: Array,
    vectors: Array,
    indices: Array,
    decay: float,
    epsilon: float = 1e-5,
) -> dict[str, Array]:
    """Moving averages of usage and totals, and the codebook they make (appendix A.1)."""
    one_hot = np.eye(len(usage))[indices]
    usage = decay * usage + (1 - decay) * one_hot.sum(axis=0)
    total = decay * total + (1 - decay) * (one_hot.T @ vectors)
    share = (usage + epsilon) / (usage.sum() + len(usage) * epsilon)
    return {"usage": usage, "total": total, "codebook": total / (share * usage.sum())[:, None]}


def replace_dead_codes(
    usage: Array, total: Array, codebook: Array, replacements: Array, threshold: float
) -> dict[str, Array]:
    """Codes used less than the threshold start again elsewhere, with a usage of the threshold."""
    usage, total, codebook = usage.copy(), total.copy(), codebook.copy()
    for code in np.flatnonzero(usage < threshold):
        usage[code] = threshold
        codebook[code] = replacements[code]
        total[code] = threshold * replacements[code]
    return {"usage": usage, "total": total, "codebook": codebook}


def kmeans(vectors: Array, initial: Array, iterations: int) -> Array:
    """Lloyd's algorithm; a center that no vector is nearest to stays."""
    centers = initial.copy()
    for _ in range(iterations):
        nearest = nearest_code(vectors, centers)
        for code in np.unique(nearest):
            centers[code] = vectors[nearest == code].mean(axis=0)
    return centers
