"""Images as data."""

from artifex_compat.generative_models.modalities.image.config import ImageModalityConfig

__all__ = ["ImageModalityConfig"]
