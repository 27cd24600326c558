"""The configuration that stands for any of the five models, by its type's name."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from artifex_compat.generative_models.core.configuration.checks import (
    checked,
    mapping,
    one_of,
    optional,
    some_sizes,
    text,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.core.configuration.image_config import ImageModalityConfig
from edifice_py.checks import positive_int

MODEL_TYPES = (
    "vae",
    "beta_vae",
    "beta_vae_with_capacity",
    "conditional_vae",
    "vqvae",
)
ARCHITECTURES = {"mlp": "dense", "dense": "dense", "cnn": "cnn", "resnet": "resnet"}
"""Names of architectures, and the `encoder_type` of each."""

_DIGITS = ImageModalityConfig(representation="GRAYSCALE", height=28, width=28)


@dataclass(frozen=True, kw_only=True)
class ModelConfiguration(Config):
    """Configuration of any model, for `create_vae_model`.

    Attributes:
        model_name: what the user calls it.
        model_type: one of `MODEL_TYPES`; a "vae" with a "beta" among its parameters is a beta-VAE.
        modality_config: what the data are; grey images of 28 x 28 where neither this nor
            `input_shape` is given.
        input_shape: shape of one example, for data that are no images.
        architecture: "mlp", "cnn" or "resnet".
        latent_dim: width of a latent vector.
        parameters: "encoder_features" and "decoder_features" (widths, in the order in which they
            run), "activation", "output_activation", "beta", "kl_weight" and every option of the
            model's own constructor.

    Reference:
        Workshop, Advanced VAE Examples, "Basic beta-VAE".
    """

    model_name: str = field(default="vae", metadata=checked(text))
    model_type: str = field(default="vae", metadata=checked(one_of(MODEL_TYPES)))
    modality_config: ImageModalityConfig | None = None
    input_shape: tuple[int, ...] | None = field(
        default=None, metadata=checked(optional(some_sizes))
    )
    architecture: str = field(default="mlp", metadata=checked(one_of(ARCHITECTURES)))
    latent_dim: int = field(default=32, metadata=checked(positive_int))
    parameters: dict[str, Any] = field(default_factory=dict, metadata=checked(mapping))

    def __post_init__(self) -> None:
        super().__post_init__()
        modality = self.modality_config
        if modality is None:
            if self.input_shape is None:
                object.__setattr__(self, "modality_config", _DIGITS)
        elif not isinstance(modality, ImageModalityConfig):
            given = type(modality).__name__
            raise TypeError(f"modality_config must be an ImageModalityConfig, not a {given}.")
        elif self.input_shape not in (None, modality.shape):
            raise ValueError(
                f"input_shape must be the modality's {modality.shape} or not given, "
                f"not {self.input_shape}."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        if self.input_shape is not None:
            return self.input_shape
        assert self.modality_config is not None  # noqa: S101 # made so above
        return self.modality_config.shape

    @property
    def features(self) -> int:
        """Numbers in one example."""
        return prod(self.shape)
