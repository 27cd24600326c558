"""Images as data."""

from artifex_compat.generative_models.core.configuration.image_config import ImageModalityConfig

__all__ = ["ImageModalityConfig"]
