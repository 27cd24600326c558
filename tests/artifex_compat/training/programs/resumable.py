"""`resumable.py FOLDER`: a run that goes on from its checkpoints, and so ends the same."""

import sys
import warnings
from pathlib import Path

import numpy as np

from artifex_compat.generative_models.training.callbacks import (
    CheckpointConfig,
    JSONLHistory,
    ModelCheckpoint,
)
from artifex_compat.generative_models.training.checkpoints import CheckpointError
from tests.artifex_compat.train_make import LABELED, arrays, trainer

EPOCHS, BATCH = 6, 8


def main(folder: Path) -> None:
    """Train to the end, and write what the model and the optimizer are then."""
    checkpoints = folder / "checkpoints"
    config = CheckpointConfig(checkpoints, "val_loss", every_n_batches=2, keep_last=2)
    callbacks = [ModelCheckpoint(config), JSONLHistory(folder / "history.jsonl")]
    run = trainer("vq", callbacks=callbacks, drop_remainder=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # orbax tells of what a killed save left
        try:
            run.restore(checkpoints)
        except CheckpointError:
            print("from the start", flush=True)
        print("training", flush=True)
        run.train(LABELED, EPOCHS, BATCH, val_data=LABELED)
    np.savez(folder / "end.npz", **arrays(run))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
