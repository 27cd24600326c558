"""`spread.py OUT KIND [PORT PROCESS]`: 20 steps on all devices, of one process or of two."""

import sys

import jax
import numpy as np
from jax.sharding import Mesh

from tests.artifex_compat.train_make import LABELED, arrays, trainer


def main(out: str, kind: str, *distributed: str) -> None:
    """Train, and write the losses and the parameters that came of it."""
    if distributed:
        port, process = distributed
        jax.distributed.initialize(f"127.0.0.1:{port}", num_processes=2, process_id=int(process))
    devices = jax.devices()
    mesh = Mesh(np.array(devices), ("data",)) if len(devices) > 1 else None
    run = trainer(kind, mesh=mesh)
    losses = [row["loss"] for row in run.train(LABELED, 20, 48, val_data=LABELED)]
    np.savez(f"{out}", devices=len(devices), losses=losses, **arrays(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
