"""Trainers of one family of models each."""

from artifex_compat.generative_models.training.trainers.vae_trainer import (
    VAETrainer,
    VAETrainingConfig,
)

__all__ = ["VAETrainer", "VAETrainingConfig"]
