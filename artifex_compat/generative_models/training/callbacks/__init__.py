"""Callbacks: what hears of a run, and may end it."""

from artifex_compat.generative_models.training.callbacks.base import Callback
from artifex_compat.generative_models.training.callbacks.checkpoint import (
    CheckpointConfig,
    ModelCheckpoint,
)
from artifex_compat.generative_models.training.callbacks.early_stopping import (
    EarlyStopping,
    EarlyStoppingConfig,
)
from artifex_compat.generative_models.training.callbacks.history import CSVHistory, JSONLHistory
from artifex_compat.generative_models.training.callbacks.loggers import (
    TensorBoardLoggerCallback,
    TensorBoardLoggerConfig,
    WandbLoggerCallback,
    WandbLoggerConfig,
)
from artifex_compat.generative_models.training.callbacks.non_finite import (
    NonFiniteError,
    NonFiniteGuard,
)
from artifex_compat.generative_models.training.callbacks.progress import ProgressBar

__all__ = [
    "CSVHistory",
    "Callback",
    "CheckpointConfig",
    "EarlyStopping",
    "EarlyStoppingConfig",
    "JSONLHistory",
    "ModelCheckpoint",
    "NonFiniteError",
    "NonFiniteGuard",
    "ProgressBar",
    "TensorBoardLoggerCallback",
    "TensorBoardLoggerConfig",
    "WandbLoggerCallback",
    "WandbLoggerConfig",
]
