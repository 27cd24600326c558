"""Which calls of Edifice's VQ-VAE raise, by the rules of Edifice 0.2.0, Axon 0.8 and Nx 0.10."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from golden.arrays import Array
from golden.reference import activations

Options = Mapping[str, Any]
Arrays = Mapping[str, Array]


def error(options: Options, arrays: Arrays) -> dict[str, Any]:
    """Whether the call that the option `call` names raises."""
    return {"raised": np.uint8(_RAISES[options["call"]](options, arrays))}


def _build(options: Options, _: Arrays) -> bool:
    """A dense layer wants a positive number of units; what comes into the first may be anything."""
    call = options["call"]
    if call != "build_decoder" and "input_size" not in options:
        return True
    sizes = [options.get("embedding_dim", 64)]
    if call == "build":
        sizes.append(options["input_size"])
    if call == "build_decoder":
        sizes.append(options.get("output_size") or options.get("input_size"))
    for side in ("encoder", "decoder"):
        if call in ("build", f"build_{side}", f"apply_{side}"):
            sizes += options.get(f"{side}_sizes", [])
    return not all(type(size) is int and size > 0 for size in sizes)


def _apply(options: Options, arrays: Arrays) -> bool:
    """A name of no activation is met here, and so are inputs that do not fit."""
    x = arrays["input"]
    known = activations.ELEMENTWISE.keys() | activations.ROWWISE.keys()
    fits = x.ndim > 1 and x.shape[-1] == options["input_size"]
    return _build(options, arrays) or not fits or options.get("activation", "relu") not in known


def _quantize(_: Options, arrays: Arrays) -> bool:
    z_e, codebook = arrays["z_e"], arrays["codebook"]
    if codebook.ndim == 1 and z_e.shape == (1, *codebook.shape):
        return False  # one row broadcasts with what is then taken for indices
    return z_e.ndim == 0 or codebook.ndim != 2 or z_e.shape[-1] != codebook.shape[-1]


def _loss(options: Options, arrays: Arrays) -> bool:
    """What broadcasts does not raise."""
    for a, b in (("z_e", "z_q"), ("reconstruction", "target")):
        try:
            np.broadcast_shapes(*(arrays[name].shape for name in (a, b) if name in arrays))
        except ValueError:
            return True
    return options.get("commitment_weight", 0.25) is None


def _init_codebook(_: Options, __: Arrays) -> bool:
    """Called as it is documented, it always does."""
    return True


_RAISES: Mapping[str, Callable[[Options, Arrays], bool]] = {
    "build": _build,
    "build_encoder": _build,
    "build_decoder": _build,
    "apply_encoder": _apply,
    "quantize": _quantize,
    "commitment_loss": _loss,
    "codebook_loss": _loss,
    "loss": _loss,
    "init_codebook": _init_codebook,
}
