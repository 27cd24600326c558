"""What the numbers of a file of safetensors mean, in a file of JSON beside it.

Weights are read without it. It says what another program needs to know to use them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edifice_py.interchange.architecture import recognised
from edifice_py.interchange.digest import digest
from edifice_py.interchange.trees import normalised

FORMAT = "edifice_py.interchange/1"
MOST_BYTES = 2**16
"""Of it that are read."""
_NAMES = {
    "names": "<layer>.<parameter>; within a name, '.' is %2E and '%' is %25; 0, 1, ... of a tuple",
}
_OF_VAE = {
    "layers": "Axon's names: encoder_dense_<i>, mu, log_var, decoder_dense_<i>, decoder_output",
    "dense": "y = x @ kernel + bias, kernel [inputs, outputs], bias [outputs]",
    "activation": "after encoder_dense_<i> and decoder_dense_<i> only; weights do not tell which",
    "log_var": "natural logarithm of the posterior variance, not clipped",
    "decoder_output": "no activation",
    "loss": "squared error, mean over all elements, plus beta times the KL in nats, "
    "sum over latents, mean over the batch",
}


def conventions(params: object) -> dict[str, Any]:
    """What is said of parameters.

    Raises:
        InterchangeError: they are no tree of arrays.
    """
    tree = normalised(params)
    architecture = recognised(tree)
    return {
        "format": FORMAT,
        "conventions": _NAMES | (_OF_VAE if architecture else {}),
        "architecture": architecture.as_json() if architecture else None,
        "digest": digest(tree),
    }


def beside(path: Path) -> Path:
    """Where it stands."""
    return path.with_name(f"{path.name}.json")


def text(said: Mapping[str, Any]) -> bytes:
    """The file."""
    return json.dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"


def as_metadata(said: Mapping[str, Any]) -> dict[str, str]:
    """The same as safetensors' metadata, which holds strings only."""
    return {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()
    }
