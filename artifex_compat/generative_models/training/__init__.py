"""Training."""

from artifex_compat.generative_models.training.trainers import VAETrainer, VAETrainingConfig

__all__ = ["VAETrainer", "VAETrainingConfig"]
