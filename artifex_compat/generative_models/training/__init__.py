"""Training: the trainer, the trainers of one family of models, and callbacks."""

from artifex_compat.generative_models.training.trainer import Trainer
from artifex_compat.generative_models.training.trainers import VAETrainer, VAETrainingConfig

__all__ = ["Trainer", "VAETrainer", "VAETrainingConfig"]
