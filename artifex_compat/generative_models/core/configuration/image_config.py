"""Configuration of image data."""

from dataclasses import dataclass, field

from artifex_compat.generative_models.core.configuration.checks import checked, one_of, optional
from artifex_compat.generative_models.core.configuration.config import Config
from edifice_py.checks import positive_int

CHANNELS = {"RGB": 3, "RGBA": 4, "GRAYSCALE": 1}
"""Representations of a pixel, and how many numbers each has."""


@dataclass(frozen=True, kw_only=True)
class ImageModalityConfig(Config):
    """Configuration of image data, of shape `(height, width, channels)`.

    Attributes:
        representation: "RGB", "RGBA" or "GRAYSCALE".
        height: rows of pixels.
        width: columns of pixels; as many as rows where not given.
        channels: numbers a pixel, which the representation says where they are not given.

    Raises:
        ValueError: a size is not positive, or the channels are not those of the representation.

    Reference:
        Workshop, Advanced VAE Examples, "Basic beta-VAE".
    """

    representation: str = field(default="RGB", metadata=checked(one_of(CHANNELS)))
    height: int = field(default=64, metadata=checked(positive_int))
    width: int | None = field(default=None, metadata=checked(optional(positive_int)))
    channels: int | None = field(default=None, metadata=checked(optional(positive_int)))

    def __post_init__(self) -> None:
        super().__post_init__()
        wanted = CHANNELS[self.representation]
        if self.channels not in (None, wanted):
            raise ValueError(
                f"channels must be {wanted} for {self.representation}, not {self.channels}."
            )
        object.__setattr__(self, "channels", wanted)
        object.__setattr__(self, "width", self.width or self.height)

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)`."""
        return self.height, self.width or self.height, CHANNELS[self.representation]
