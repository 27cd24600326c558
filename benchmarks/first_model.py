"""What the first model of a program costs, as a ratio to nnx's layers: processes in turn."""

import subprocess
import sys
import time
from functools import partial
from itertools import pairwise

import jax
from flax import nnx

from artifex_compat.generative_models.models.vae import MLPDecoder, MLPEncoder
from interleaved import compare

ROUNDS = 9
FEATURES, HIDDEN, LATENT = 784, (512, 256, 128), 32


def ours() -> list[nnx.Module]:
    """An encoder and a decoder."""
    rngs = nnx.Rngs(0)
    return [
        MLPEncoder(list(HIDDEN), LATENT, input_dim=FEATURES, rngs=rngs),
        MLPDecoder(list(HIDDEN[::-1]), FEATURES, LATENT, rngs=rngs),
    ]


def theirs() -> list[nnx.Module]:
    """Their layers."""
    rngs = nnx.Rngs(0)
    down, up = (FEATURES, *HIDDEN, LATENT), (LATENT, *HIDDEN[::-1], FEATURES)
    shapes = [*pairwise(down), down[-2:], *pairwise(up)]
    return [nnx.Linear(*shape, rngs=rngs) for shape in shapes]


SIDES = {"ours": ours, "theirs": theirs}


def seconds(side: str) -> float:
    """The time of a fresh process, but for its imports."""
    command = [sys.executable, __file__, side]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure both, or make one where a side is named."""
    if len(sys.argv) == 1:
        ratio = compare(partial(seconds, "ours"), partial(seconds, "theirs"), ROUNDS)
        print(f"the first model / the same layers of nnx: {ratio}")
        return
    start = time.perf_counter()
    made = SIDES[sys.argv[1]]()
    jax.block_until_ready([nnx.state(one, nnx.Param) for one in made])
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
