"""The terms of the models' losses: formulas of `edifice_py.core`, put together."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from artifex_compat.generative_models.models.vae.conditional_wrapper import ConditionalWrapper
from artifex_compat.generative_models.models.vae.networks import Decoder
from artifex_compat.generative_models.models.vae.results import read, with_aliases
from artifex_compat.ranges import output_refusal
from edifice_py.checks import same_shape
from edifice_py.core import gaussian, objective, reduce
from edifice_py.core import reconstruction as errors

_PACKAGE = __name__.partition(".")[0] + "."
ReconstructionLoss = Callable[[jax.Array, jax.Array], jax.Array]


def reconstruction(
    x: jax.Array,
    outputs: Mapping[str, Any],
    loss_type: str,
    custom: ReconstructionLoss | None = None,
) -> jax.Array:
    """The reconstruction term.

    Args:
        x: the data.
        outputs: has `reconstructed`, of the same shape.
        loss_type: "mse", mean over all elements; or "bce", sum over features and mean over the
            batch, with 1e-8 inside the logarithms.
        custom: called with the reconstruction and the data in place of either.

    Raises:
        KeyError: the outputs have no reconstruction.
        ValueError: its shape is not that of the data.
    """
    reconstructed = read(outputs, "reconstructed")
    if custom is not None:
        return custom(reconstructed, x)
    same_shape(x=x, reconstructed=reconstructed)
    if loss_type == "bce":
        terms = errors.bernoulli_with_offset(reconstructed, x)
        return reduce.feature_sum_batch_mean(terms)
    return reduce.element_mean(errors.squared_error(reconstructed, x))


def own_loss_type(model: object) -> str | None:
    """The type of a model's own `loss_fn`, None where a user wrote it."""
    if not is_ours(getattr(model, "loss_fn", None)):
        return None
    return getattr(model, "reconstruction_loss_type", "mse")


def output_activation(model: object) -> str | None:
    """The output activation of a model with a decoder of ours, None where it is not known."""
    decoder = getattr(model, "decoder", None)
    if isinstance(decoder, ConditionalWrapper):
        decoder = decoder.wrapped
    if not isinstance(decoder, Decoder) or not is_ours(type(decoder).__call__):
        return None
    # A user's own may add an activation.
    ours = all(is_ours(getattr(type(model), name, None)) for name in ("__call__", "decode"))
    return decoder.spec.output_activation if ours else None


def check_output(model: object, loss_type: str | None) -> None:
    """Refuse a loss of probabilities of a decoder that does not give them.

    Raises:
        ValueError: the loss is "bce", and the output of the decoder is not a sigmoid's.
    """
    if words := output_refusal(loss_type, output_activation(model)):
        raise ValueError(words)


def is_ours(method: object) -> bool:
    """Whether a function or method is of this library, and not a user's own."""
    return str(getattr(method, "__module__", "")).startswith(_PACKAGE)


def kl(outputs: Mapping[str, Any]) -> jax.Array:
    """KL of the posterior from the prior in nats: sum over latents, mean over the batch.

    Latents on a grid count as the latents of their example.

    Raises:
        KeyError: the outputs have no mean or no log-variance.
        ValueError: their shapes differ.
    """
    mean, log_var = read(outputs, "mean"), read(outputs, "log_var")
    same_shape(mean=mean, log_var=log_var)
    return reduce.feature_sum_batch_mean(gaussian.kl_per_dimension(mean, log_var))


def beta_terms(
    reconstruction_loss: jax.Array,
    kl_loss: jax.Array,
    beta: ArrayLike,
    *,
    show_beta: bool = False,
) -> dict[str, Any]:
    """The terms of a loss that weighs the KL by beta, which is among them if asked for."""
    scale = jnp.asarray(beta)
    terms = {
        "reconstruction_loss": reconstruction_loss,
        "kl_loss": kl_loss,
        "total_loss": objective.beta_objective(reconstruction_loss, kl_loss, scale),
    }
    return with_aliases(terms | ({"beta": scale} if show_beta else {}))


def capacity_terms(
    reconstruction_loss: jax.Array, kl_loss: jax.Array, capacity: jax.Array, gamma: float
) -> dict[str, Any]:
    """The terms of a loss that holds the KL to a capacity."""
    return with_aliases(
        {
            "reconstruction_loss": reconstruction_loss,
            "kl_loss": kl_loss,
            "capacity_loss": objective.capacity_objective(0.0, kl_loss, capacity, gamma),
            "current_capacity": capacity,
            "kl_capacity_diff": kl_loss - capacity,
            "total_loss": objective.capacity_objective(
                reconstruction_loss, kl_loss, capacity, gamma
            ),
        }
    )


def vector_quantization_terms(
    reconstruction_loss: jax.Array,
    outputs: Mapping[str, Any],
    commitment_cost: float,
    *,
    by_gradient: bool,
) -> dict[str, Any]:
    """The terms of a VQ-VAE's loss; the codebook has a part in it if gradients move it.

    Raises:
        KeyError: the outputs lack the terms of the codebook.
    """
    nested = outputs.get("quantization_aux", {})
    found = {**nested, **outputs}
    codebook, commitment = read(found, "codebook_loss"), read(found, "commitment_loss")
    moving = codebook if by_gradient else 0.0
    terms = {
        "reconstruction_loss": reconstruction_loss,
        "commitment_loss": commitment,
        "codebook_loss": codebook,
        "vq_loss": objective.vector_quantization_objective(
            0.0, moving, commitment, commitment_cost
        ),
        "total_loss": objective.vector_quantization_objective(
            reconstruction_loss, moving, commitment, commitment_cost
        ),
    }
    return with_aliases(
        terms | ({"perplexity": found["perplexity"]} if "perplexity" in found else {})
    )
