"""The vector-quantized VAE."""

from collections.abc import Mapping
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core.compiled_calls import compiled_call
from artifex_compat.generative_models.core.configuration import VQVAEConfig
from artifex_compat.generative_models.core.layers.linear import linear
from artifex_compat.generative_models.core.random import check_rngs, stream_key
from artifex_compat.generative_models.models.vae import losses, results
from artifex_compat.generative_models.models.vae.assembly import assemble
from artifex_compat.generative_models.models.vae.base import VAE, Outputs
from artifex_compat.generative_models.models.vae.calling import call_in_mode
from artifex_compat.generative_models.models.vae.codebook import Codebook
from artifex_compat.generative_models.models.vae.fitting import Shape
from artifex_compat.generative_models.models.vae.latent_model import sample_count
from edifice_py.checks import named, options, owned, scalar
from edifice_py.core import quantize


class VQVAE(VAE):
    """A VAE whose latent vectors are made of codes from a learned codebook.

    It is made from a configuration, `VQVAE(config, rngs=rngs)`, or from its parts. A latent vector
    is one code, or several side by side where `latent_dim` is a multiple of `embedding_dim`. Where
    it is not, a learned projection goes into the width of a code, and another one out of it. A code
    never belongs to two examples. The mean of the encoder is what is quantized; its log-variance
    has no part.

    Args:
        encoder, decoder, latent_dim, config, kl_weight, rngs, precision: see `VAE`.
        num_embeddings: number of codes in the codebook.
        embedding_dim: width of a code.
        commitment_cost: weight of the commitment loss.
        reconstruction_loss_type: "mse", a mean over all elements, or "bce", a sum over features.
        use_ema, ema_decay, dead_code_threshold, kmeans_init: see `Codebook`.

    Attributes:
        embeddings: the codebook.
        project_in, project_out: the projections, None where `latent_dim` is a multiple of
            `embedding_dim`.

    Raises:
        TypeError: both styles are mixed, or an argument is of another type.
        ValueError: a network is missing, or a value is not allowed.

    Reference:
        van den Oord et al. (2017), Neural Discrete Representation Learning; VAE API Reference,
        "VQVAE".
    """

    config_class = VQVAEConfig
    loss_options = tuple(name for name in VAE.loss_options if name != "beta")
    num_embeddings: int
    embedding_dim: int
    commitment_cost: float
    reconstruction_loss_type: str
    use_ema: bool
    ema_decay: float
    dead_code_threshold: float
    kmeans_init: bool
    project_in: nnx.Linear | None = None
    project_out: nnx.Linear | None = None

    @named
    def __init__(
        self,
        encoder: Any = None,
        decoder: Any = None,
        latent_dim: int | None = None,
        num_embeddings: int | None = None,
        embedding_dim: int | None = None,
        commitment_cost: float | None = None,
        *,
        config: VQVAEConfig | None = None,
        kl_weight: float | None = None,
        reconstruction_loss_type: str | None = None,
        use_ema: bool | None = None,
        ema_decay: float | None = None,
        dead_code_threshold: float | None = None,
        kmeans_init: bool | None = None,
        rngs: nnx.Rngs,
        precision: jax.lax.PrecisionLike = None,
    ) -> None:
        options = {
            "kl_weight": kl_weight,
            "num_embeddings": num_embeddings,
            "embedding_dim": embedding_dim,
            "commitment_cost": commitment_cost,
            "reconstruction_loss_type": reconstruction_loss_type,
            "use_ema": use_ema,
            "ema_decay": ema_decay,
            "dead_code_threshold": dead_code_threshold,
            "kmeans_init": kmeans_init,
        }
        parts = assemble(self.config_class, encoder, decoder, latent_dim, config, options)
        self._set_up(parts, rngs, precision)
        self.embeddings = Codebook(
            self.num_embeddings,
            self.embedding_dim,
            use_ema=self.use_ema,
            ema_decay=self.ema_decay,
            dead_code_threshold=self.dead_code_threshold,
            kmeans_init=self.kmeans_init,
            rngs=check_rngs(rngs),
        )
        if self.latent_dim % self.embedding_dim:
            widths = self.latent_dim, self.embedding_dim
            self.project_in = linear(*widths, precision=self.precision, rngs=check_rngs(rngs))
            self.project_out = linear(
                *reversed(widths), precision=self.precision, rngs=check_rngs(rngs)
            )

    def __call__(self, x: jax.Array, *, rngs: nnx.Rngs | None = None) -> Outputs:
        """The forward pass, in the mode that `train()` or `eval()` set; training moves averages.

        Args:
            x: `[batch, *input_shape]`.
            rngs: where k-means and new places of dead codes come from.

        Returns:
            `reconstructed` `[batch, *output_shape]`; `mean`, `encoding` and `z_e`, what the
            encoder gave, `quantized` and `z`, the codes, and `log_var`, zeros, all of them
            `[batch, latent_dim]`; and all that `quantize` tells, which is also in
            `quantization_aux`.

        Raises:
            ValueError: the networks are for another shape, or give no such thing.
        """
        options: dict[str, Any] = {"deterministic": self.deterministic, "rngs": rngs}
        mean, log_var = call_in_mode(self.encode, x, **options)
        source = self.rngs if rngs is None else rngs
        vectors = self._vectors(mean)
        self.embeddings.start(vectors, source)
        quantized, aux = self.quantize(mean)
        self.embeddings.learn(vectors, aux["encoding_indices"], source)
        reconstructed = call_in_mode(self.decode, quantized, **options)
        return results.with_aliases(
            {
                "reconstructed": reconstructed,
                "mean": mean,
                "log_var": log_var,
                "encoding": mean,
                "z_e": mean,
                "quantized": quantized,
                "z": quantized,
                **aux,
                "quantization_aux": aux,
            }
        )

    def check_call(self, arguments: Mapping[str, Any]) -> None:
        """Refuse values of a call that are not allowed: a negative temperature among them."""
        super().check_call(arguments)
        temperature = arguments.get("temperature", 1)
        if not isinstance(temperature, jax.core.Tracer) and temperature < 0:
            raise ValueError(f"temperature must not be negative, like 0 or 1, not {temperature}.")

    @compiled_call("deterministic")
    def encode(
        self, x: jax.Array, *, rngs: nnx.Rngs | None = None, deterministic: bool | None = None
    ) -> tuple[jax.Array, jax.Array]:
        """What the encoder gives, before it is quantized, and zeros for its log-variance."""
        mean, _ = self._encode(x, rngs=rngs, deterministic=deterministic)
        return mean, jnp.zeros_like(mean)

    @compiled_call()
    def quantize(
        self,
        encoding: jax.Array,
        *,
        rngs: nnx.Rngs | None = None,  # noqa: ARG002 # documented; nothing is drawn
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The nearest codes, with the gradient of the encoding; of two equally near, the first.

        Args:
            encoding: `[..., latent_dim]`.
            rngs: not used.

        Returns:
            The codes, in the shape of `encoding` and projected out of their width where that is
            learned; and `commitment_loss` and `codebook_loss` in the codes' width,
            `encoding_indices` `[codes in all]`, `perplexity` and `usage`, how many vectors each
            code got, `[num_embeddings]`.

        Raises:
            ValueError: the last axis has another width.

        Reference:
            van den Oord et al. (2017), equations 1 to 3; VAE API Reference, "quantize".
        """
        encoding = owned(encoding)
        vectors = self._vectors(encoding)
        codebook = self.embeddings.embedding[...]
        indices = quantize.nearest_code(vectors, codebook)
        codes = codebook[indices]
        usage = quantize.counts(indices, codebook).astype(jnp.float32)
        straight = quantize.straight_through(vectors, codes)
        quantized = self._latents(straight, encoding.shape)
        return quantized, {
            "commitment_loss": quantize.commitment_loss(vectors, codes),
            "codebook_loss": quantize.codebook_loss(vectors, codes),
            "encoding_indices": indices,
            "perplexity": quantize.perplexity(usage),
            "usage": usage,
        }

    @compiled_call()
    def loss_fn(  # type: ignore[override] # the document has x first here, params in VAE
        self,
        x: jax.Array | None = None,
        outputs: Any = None,
        *,
        batch: Any = None,
        rng: Any = None,
        reconstruction_loss_fn: losses.ReconstructionLoss | None = None,
        **kwargs: Any,
    ) -> Outputs:
        """The terms of the loss: reconstruction error, codebook and commitment.

        The arguments are those of `VAE.loss_fn`, `x` and `outputs` first.

        Returns:
            `reconstruction_loss`, `commitment_loss`, `codebook_loss`, `vq_loss` (the last two as
            they count), `perplexity` and `total_loss`; and `recon_loss` and `loss`. With `use_ema`
            the codebook loss is told but does not count.

        Raises:
            ValueError, KeyError: as `VAE.loss_fn`.

        Reference:
            van den Oord et al. (2017), equation 3; VAE API Reference, "VQVAE", "Loss Function".
        """
        data, found = self._data_and_outputs(None, batch, rng, x, outputs, kwargs)
        kind = self.reconstruction_loss_type
        reconstruction = losses.reconstruction(data, found, kind, reconstruction_loss_fn)
        return losses.vector_quantization_terms(
            reconstruction, found, self.commitment_cost, by_gradient=not self.use_ema
        )

    @compiled_call("n_samples")
    def sample(
        self,
        n_samples: int = 1,
        temperature: float = 1.0,
        *,
        rngs: nnx.Rngs | None = None,
        **kwargs: Any,
    ) -> jax.Array:
        """Reconstructions of codes drawn as often as training used them.

        Args:
            n_samples: how many, a Python int: static when compiled.
            temperature: 1 draws codes by their usage, more makes them more even, less favours
                those most used, and 0 takes the most used one.
            rngs: where the draws come from, the model's own where not given.
            **kwargs: none; Artifex ignores them.

        Returns:
            `[n_samples, *output_shape]`.

        Raises:
            TypeError: an argument is unknown.
            ValueError: `n_samples` or `temperature` is negative.
        """
        options("VQVAE.sample", kwargs, ("n_samples", "temperature", "rngs"))
        count, shape = sample_count(n_samples), self._latent_shape
        heat = jnp.asarray(scalar("temperature", temperature), jnp.float32)
        usage = self.embeddings.usage[...]
        key = stream_key(self.rngs if rngs is None else rngs, "sample")
        logits = jnp.log(usage) / jnp.where(heat > 0, heat, 1)
        in_one = 1 if self.project_in is not None else self.latent_dim // self.embedding_dim
        drawn = jax.random.categorical(key, logits, shape=(count, prod(shape[:-1]) * in_one))
        codes = jnp.where(heat > 0, drawn, jnp.argmax(usage))
        z = self._latents(self.embeddings.embedding[...][codes], (count, *shape))
        return call_in_mode(self.decode, z, deterministic=True, rngs=rngs)

    def _reconstruct(
        self,
        x: jax.Array,
        deterministic: bool,  # noqa: ARG002 # there is no noise
        rngs: nnx.Rngs | None,
        **condition: Any,
    ) -> jax.Array:
        return super()._reconstruct(x, True, rngs, **condition)

    def _code(self, z: jax.Array) -> jax.Array:
        return self.quantize(z)[0]

    def _vectors(self, encoding: jax.Array) -> jax.Array:
        """What is quantized, `[vectors, embedding_dim]`."""
        width, projected = encoding.shape[-1], self.project_in is not None
        if width != self.latent_dim and (projected or width % self.embedding_dim):
            like = "" if projected else f", or a multiple of {self.embedding_dim}"
            raise ValueError(
                f"encoding must have latent vectors of width {self.latent_dim}{like}, not {width}."
            )
        vectors = encoding if self.project_in is None else self.project_in(encoding)
        return vectors.reshape(-1, self.embedding_dim)

    def _latents(self, codes: jax.Array, shape: Shape) -> jax.Array:
        """Latent vectors of a shape, of codes in their order."""
        if self.project_out is None:
            return codes.reshape(shape)
        return self.project_out(codes.reshape(*shape[:-1], self.embedding_dim))
