"""The warm-up of a loss, in which the weight of its KL or its capacity grows."""

import warnings
from typing import Any

from flax import nnx

from artifex_compat.generative_models.models.vae import VQVAE
from artifex_compat.generative_models.training.trainers.vae_trainer import VAETrainer

MAX_STEP = 2**31 - 1


def warmup_steps(loss: Any, model: nnx.Module) -> int:
    """Steps until the loss first has the weights that it ends with, 0 for no warm-up.

    A VQ-VAE has no weight that grows, and of a loss of the user no warm-up is known.
    """
    if isinstance(model, VQVAE):
        return 0
    if isinstance(loss, VAETrainer):
        return loss.warmup_steps
    return getattr(model, "warmup_steps", 0) if loss is None else 0


def evaluation_step(loss: Any, model: nnx.Module, step: int) -> int:
    """A step at which the loss has the weights that it ends with."""
    if not isinstance(loss, VAETrainer):
        return max(step, warmup_steps(loss, model))
    # A sigmoid reaches the full weight, in float32, only after the warm-up.
    slow = 3 if loss.config.kl_annealing == "sigmoid" else 1
    return min(slow * loss.warmup_steps, MAX_STEP)


def in_warmup(trainer: Any, monitor: str) -> bool:
    """Whether the warm-up of the loss is part of a metric of the epoch that has just ended.

    Validation has the weights that the loss ends with, whatever the step; a metric of training has
    those of the steps of its epoch.
    """
    if monitor.startswith("val_") or not trainer.warmup_steps:
        return False
    rows = trainer.history
    return bool((rows[-2]["step"] if len(rows) > 1 else 0) < trainer.warmup_steps)


def warn_of_short_run(step: int, steps: int) -> None:
    """Warn that a run ended at a step within its warm-up of some steps."""
    warnings.warn(
        f"the run ended at step {step}, before its warm-up of {steps} steps: the loss did not "
        "reach the weights by which epochs are compared.",
        stacklevel=4,
    )
