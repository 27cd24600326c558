"""Configurations of the five models."""

from dataclasses import dataclass, field

from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    count,
    flag,
    non_negative,
    one_of,
    only,
    optional,
    positive,
    probability,
)
from artifex_compat.generative_models.core.configuration.config import BaseConfig
from artifex_compat.generative_models.core.configuration.network_configs import (
    DecoderConfig,
    EncoderConfig,
)
from edifice_py.checks import positive_int

ENCODER_TYPES = ("dense", "cnn", "resnet", "spatial")
RECONSTRUCTION_LOSS_TYPES = ("mse", "bce")
CONDITION_TYPES = ("concat", "add")
DEFAULT_CONDITION_DIM = 10


@dataclass(frozen=True, kw_only=True)
class VAEConfig(BaseConfig):
    """Configuration of a VAE.

    Attributes:
        encoder: its encoder, required.
        decoder: its decoder, required, with the encoder's `latent_dim`.
        encoder_type: which networks: dense, cnn, resnet, or spatial for latents on a grid.
        kl_weight: weight of the KL in the loss, in units of the reconstruction error a nat.

    Raises:
        ValueError: a part is missing, the latent widths differ, or a value is not allowed.
        TypeError: a part is of another type.
    """

    encoder: EncoderConfig | None = None
    decoder: DecoderConfig | None = None
    encoder_type: str = field(default="dense", metadata=checked(one_of(ENCODER_TYPES)))
    kl_weight: float = field(default=1.0, metadata=checked(non_negative))

    def __post_init__(self) -> None:
        super().__post_init__()
        encoder, decoder = self.networks()
        if encoder.latent_dim != decoder.latent_dim:
            raise ValueError(
                f"decoder.latent_dim must be the encoder's latent_dim, {encoder.latent_dim}, "
                f"not {decoder.latent_dim}."
            )

    def networks(self) -> tuple[EncoderConfig, DecoderConfig]:
        """The configurations of both networks.

        Raises:
            ValueError: one is missing.
            TypeError: one is of another type.
        """
        for name, kind in (("encoder", EncoderConfig), ("decoder", DecoderConfig)):
            value = getattr(self, name)
            if value is None:
                raise ValueError(f"{name} is required: give an {kind.__name__}.")
            if not isinstance(value, kind):
                given = type(value).__name__
                raise TypeError(f"{name} must be an {kind.__name__}, not a {given}.")
        assert self.encoder is not None  # noqa: S101 # said above, for the type checker
        assert self.decoder is not None  # noqa: S101
        return self.encoder, self.decoder


@dataclass(frozen=True, kw_only=True)
class BetaVAEConfig(VAEConfig):
    """Configuration of a beta-VAE.

    Attributes:
        kl_weight: 1.0: `beta_default` is the weight here.
        beta_default: weight of the KL in the loss, after the warm-up.
        beta_warmup_steps: steps over which it grows from 0; 0 for no warm-up.
        reconstruction_loss_type: "mse", a mean over all elements, or "bce", a sum over features.
    """

    kl_weight: float = field(
        default=1.0, metadata=checked(only(1.0, "a beta-VAE, which has beta_default"))
    )
    beta_default: float = field(default=1.0, metadata=checked(positive))
    beta_warmup_steps: int = field(default=0, metadata=checked(count))
    reconstruction_loss_type: str = field(
        default="mse", metadata=checked(one_of(RECONSTRUCTION_LOSS_TYPES))
    )


@dataclass(frozen=True, kw_only=True)
class BetaVAEWithCapacityConfig(BetaVAEConfig):
    """Configuration of a beta-VAE with the capacity control of Burgess et al. (2018).

    Attributes:
        use_capacity_control: hold the KL to a growing capacity, in place of weighing it by beta.
        capacity_max: the capacity in the end, in nats.
        capacity_num_iter: steps over which it grows from 0.
        gamma: weight of the distance of the KL from the capacity.
    """

    use_capacity_control: bool = field(default=False, metadata=checked(flag))
    capacity_max: float = field(default=25.0, metadata=checked(positive))
    capacity_num_iter: int = field(default=25000, metadata=checked(positive_int))
    gamma: float = field(default=1000.0, metadata=checked(positive))


@dataclass(frozen=True, kw_only=True)
class ConditionalVAEConfig(VAEConfig):
    """Configuration of a conditional VAE.

    Attributes:
        num_classes: labels run from 0 to `num_classes - 1`, and below `condition_dim`, which it is
            where not given.
        condition_dim: width of the one-hot condition; `num_classes` where not given, and 10 where
            neither is.
        condition_type: "concat" joins the condition to the input, "add" adds a projection of it.
        embed_dim: width of a learned embedding of the labels; one-hot where not given.
    """

    num_classes: int | None = field(default=None, metadata=checked(optional(positive_int)))
    condition_dim: int | None = field(default=None, metadata=checked(optional(positive_int)))
    condition_type: str = field(default="concat", metadata=checked(one_of(CONDITION_TYPES)))
    embed_dim: int | None = field(default=None, metadata=checked(optional(positive_int)))

    def __post_init__(self) -> None:
        super().__post_init__()
        classes, width = condition_sizes(self.num_classes, self.condition_dim)
        object.__setattr__(self, "num_classes", classes)
        object.__setattr__(self, "condition_dim", width)


@dataclass(frozen=True, kw_only=True)
class VQVAEConfig(VAEConfig):
    """Configuration of a VQ-VAE.

    Attributes:
        kl_weight: 1.0: the loss has no KL.
        num_embeddings: number of codes in the codebook.
        embedding_dim: width of a code. Where the latent width is no multiple of it, learned
            projections go into it and out of it.
        commitment_cost: weight of the commitment loss.
        reconstruction_loss_type: "mse", a mean over all elements, or "bce", a sum over features.
        use_ema: keep the codebook by moving averages in place of gradients.
        ema_decay: what each training batch leaves of the averages, 0 to 1.
        dead_code_threshold: a code that receives fewer vectors a training batch, by the moving
            average, is put where a vector of the batch is; 0 for never.
        kmeans_init: put the codebook on the k-means of the first training batch.
    """

    kl_weight: float = field(
        default=1.0, metadata=checked(only(1.0, "a VQ-VAE, whose loss has no KL"))
    )
    num_embeddings: int = field(default=512, metadata=checked(positive_int))
    embedding_dim: int = field(default=64, metadata=checked(positive_int))
    commitment_cost: float = field(default=0.25, metadata=checked(non_negative))
    reconstruction_loss_type: str = field(
        default="mse", metadata=checked(one_of(RECONSTRUCTION_LOSS_TYPES))
    )
    use_ema: bool = field(default=False, metadata=checked(flag))
    ema_decay: float = field(default=0.99, metadata=checked(probability))
    dead_code_threshold: float = field(default=0.0, metadata=checked(non_negative))
    kmeans_init: bool = field(default=False, metadata=checked(flag))


def condition_sizes(num_classes: int | None, condition_dim: int | None) -> tuple[int, int]:
    """How many labels there are and how wide a condition is, where one or both are not given."""
    classes = num_classes or condition_dim or DEFAULT_CONDITION_DIM
    return classes, condition_dim or classes
