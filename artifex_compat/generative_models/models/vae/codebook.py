"""The codebook of a VQ-VAE, and how training batches move it."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core.random import stream_key
from edifice_py.checks import named
from edifice_py.core import quantize

KMEANS_ITERATIONS = 10


class CodebookAverage(nnx.Variable[jax.Array]):
    """State that training batches move, and gradients do not."""


class Codebook(nnx.Embed):
    """An embedding that knows how often each of its codes was used.

    All of its state is made at once: no call adds to it.

    Args:
        num_embeddings: number of codes.
        embedding_dim: width of a code.
        use_ema: keep the codes by moving averages in place of gradients.
        ema_decay: what each batch leaves of the averages.
        dead_code_threshold: a code that gets fewer vectors a batch, on average, is put where a
            vector of the batch is; 0 for never.
        kmeans_init: put the codes on the k-means of the first batch.
        rngs: the codes come from its stream `params`.

    Attributes:
        embedding: the codes, `[num_embeddings, embedding_dim]`: an `nnx.Param` where gradients
            move them.
        usage: moving average of how many vectors a code gets a batch, `[num_embeddings]`; one
            each at first.
        total: moving average of the sum of those vectors, only with `use_ema`.
        started: whether the codes are on the k-means yet, only with `kmeans_init`.
    """

    @named
    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        use_ema: bool,
        ema_decay: float,
        dead_code_threshold: float,
        kmeans_init: bool,
        rngs: nnx.Rngs,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, rngs=rngs)
        self.use_ema = use_ema
        self.ema_decay = ema_decay
        self.dead_code_threshold = dead_code_threshold
        self.kmeans_init = kmeans_init
        self.deterministic = False
        self.usage = CodebookAverage(jnp.ones(num_embeddings))
        if use_ema:
            self.embedding: Any = CodebookAverage(self.embedding[...])
            self.total = CodebookAverage(self.embedding[...])
        if kmeans_init:
            self.started = CodebookAverage(jnp.array(False))

    @property
    def draws(self) -> bool:
        """Whether training takes keys."""
        return self.kmeans_init or self.dead_code_threshold > 0

    def set_view(self, deterministic: bool | None = None, **others: Any) -> dict[str, Any]:
        """Set the mode of a view that `nnx.view` makes, and return what is not of it."""
        if deterministic is not None:
            self.deterministic = deterministic
        return others

    def start(self, vectors: jax.Array, rngs: nnx.Rngs | None) -> None:
        """Put the codes on the k-means of the first training batch, where they are to be.

        Args:
            vectors: encoder outputs, `[vectors, embedding_dim]`.
            rngs: where the first guess of the k-means comes from.
        """
        if self.deterministic or not self.kmeans_init:
            return
        key = stream_key(rngs, "sample")
        vectors = self._still(vectors)

        def first() -> jax.Array:
            return quantize.kmeans(vectors, self._pick(vectors, key), KMEANS_ITERATIONS)

        codes = jax.lax.cond(self.started[...], lambda: self.embedding[...], first)
        self.embedding[...] = codes
        if self.use_ema:
            usage = self.usage[...][:, None]
            self.total[...] = jnp.where(self.started[...], self.total[...], codes * usage)
        self.started[...] = jnp.array(True)

    def learn(self, vectors: jax.Array, indices: jax.Array, rngs: nnx.Rngs | None) -> None:
        """Move the averages by a training batch, and with them the codes where they follow.

        Args:
            vectors: encoder outputs, `[vectors, embedding_dim]`.
            indices: the code of each, `[vectors]`.
            rngs: where the choice of new places for dead codes comes from.
        """
        if self.deterministic:
            return
        vectors = self._still(vectors)
        codes = jax.lax.stop_gradient(self.embedding[...])
        total = self.total[...] if self.use_ema else codes * self.usage[...][:, None]
        old = quantize.MovingCodebook(self.usage[...], total, codes)
        new = quantize.ema_update(old, vectors, indices, self.ema_decay)
        if not self.use_ema:
            new = new._replace(codebook=codes)
        if self.dead_code_threshold > 0:
            places = self._pick(vectors, stream_key(rngs, "sample"))
            new = quantize.replace_dead_codes(new, places, self.dead_code_threshold)
        self.usage[...] = new.usage
        if self.use_ema:
            self.total[...] = new.total
        if self.use_ema or self.dead_code_threshold > 0:
            self.embedding[...] = new.codebook

    def _still(self, vectors: jax.Array) -> jax.Array:
        """Vectors without gradient, in the type of the codes."""
        return jax.lax.stop_gradient(vectors).astype(self.embedding[...].dtype)

    def _pick(self, vectors: jax.Array, key: jax.Array) -> jax.Array:
        """As many of the vectors as there are codes, each once where there are enough."""
        count = vectors.shape[0]
        again = count < self.num_embeddings
        return vectors[jax.random.choice(key, count, (self.num_embeddings,), replace=again)]
