"""The one table of what may differ: by the kind of an output and its dtype."""

from fnmatch import fnmatchcase

from golden.arrays import Array, name_of
from golden.compare import EXACT, Tolerance

KINDS: tuple[tuple[str, str, str], ...] = (
    ("*artifex.models", "params/*", "weights"),
    ("*artifex.models", "batch_stats/*", "bits"),
    ("*artifex.models", "grads/*/bias", "cancelled"),
    ("*artifex.models", "*", "forward"),
    ("*artifex.components", "params/*", "weights"),
    ("*artifex.components", "batch_stats/*", "bits"),
    ("*artifex.components", "*", "forward"),
    ("*artifex.training", "initial_batch_stats/*", "bits"),
    ("*artifex.training", "initial/*", "weights"),
    ("*artifex.training", "grads_first/*", "forward"),
    ("*artifex.training", "after_first*", "run"),
    ("*artifex.training", "final*", "run"),
    ("*artifex.training", "*", "steps"),
    ("random_uniform", "value", "bits"),
    ("random_normal", "value", "normal"),
    ("vqvae_init_codebook", "*", "normal"),
    ("*build*", "*/kernel", "initial"),
    ("*build*", "*/bias", "initial"),
    ("train", "final/*", "trained"),
    ("vqvae_train", "final/*", "trained"),
    ("reparameterize*", "z", "sample"),
    ("core.gaussian.kl_per_dimension", "value", "divergence"),
    ("core.special.*", "*", "divergence"),
    ("core.reconstruction.bernoulli_from_logits", "value", "divergence"),
    ("activation", "*", "elementwise"),
    ("core.*", "*", "elementwise"),
    ("*", "*", "value"),
)
"""Function and output, as globs, to a kind; the first that fits. Integers are always exact."""

TABLE: dict[tuple[str, str], Tolerance] = {
    # The inverse error function is a polynomial of 3e-7 relative, and normals reach 5.6. JAX's own
    # is 2e-5 off beyond 3: an implementation that uses it declares that.
    ("normal", "f32"): Tolerance(absolute=1e-6, relative=3e-7, scale=1.0),
    ("normal", "f64"): Tolerance(absolute=1e-12, relative=1e-12, scale=1.0),
    ("normal", "f16"): EXACT,
    # One rounding to eight bits of a number below 4.
    ("normal", "bf16"): Tolerance(absolute=2**-7),
    ("initial", "f32"): Tolerance(absolute=1e-7),
    # Bit for bit on jax 0.10.2, which recorded them. Another XLA rounds a uniform, or its inverse
    # error function, otherwise: jax 0.12.0.1 is up to 1.2e-7 off.
    ("weights", "f32"): Tolerance(absolute=1.2e-7, relative=5e-7),
    # Adam divides by the root of what can be nearly nothing: an absolute bound says more.
    ("trained", "f32"): Tolerance(absolute=2e-6),
    # What compilers may round otherwise in a few layers of float32.
    ("forward", "f32"): Tolerance(absolute=2e-6, relative=2e-5),
    # The gradient of a bias before batch norm is zero, and what was recorded of it is the rounding
    # of terms that cancel: up to 2.33e-6. Zero must hold, and another rounding of that size.
    ("cancelled", "f32"): Tolerance(absolute=5e-6, relative=2e-5),
    # The recorder's own runs, eager and compiled, are 5e-7 apart after 20 steps.
    ("steps", "f32"): Tolerance(absolute=1e-6, relative=1e-5),
    # Each layer rounds to eight bits: 2^-9 relative, and 20 steps go by such gradients.
    ("steps", "bf16"): Tolerance(relative=2**-7),
    # Adam's first step is of one length whatever the gradient's: its rounding does not shrink.
    ("run", "f32"): Tolerance(absolute=1e-5),
    # A normal, scaled.
    ("sample", "f32"): Tolerance(absolute=2e-6, relative=2e-6),
    ("sample", "f64"): Tolerance(absolute=1e-12, relative=1e-12),
    # Nx rounds after each of three operations, we once.
    ("sample", "f16"): Tolerance(relative=2**-9, scale=1.0),
    ("sample", "bf16"): Tolerance(relative=2**-6, scale=1.0),
    # Sums of terms that are never negative: nothing may be lost however small they are.
    ("divergence", "f32"): Tolerance(relative=2e-6),
    # A function of single numbers has no terms that are larger than its value and its argument.
    ("elementwise", "f32"): Tolerance(absolute=1.2e-7, relative=2e-6),
    ("elementwise", "f64"): Tolerance(absolute=1e-15, relative=1e-12),
    # A float32 sum carries the rounding of its terms. 1.2e-7 is one rounding of 1, the term that
    # the KL of a posterior near the prior cancels.
    ("value", "f32"): Tolerance(absolute=1.2e-7, relative=2e-6, scale=1.0),
    ("value", "f64"): Tolerance(absolute=1e-15, relative=1e-12, scale=1.0),
    ("value", "f16"): Tolerance(relative=2**-9, scale=1.0),
    # Nx.BinaryBackend truncates after each operation: up to four roundings of eight bits.
    ("value", "bf16"): Tolerance(relative=2**-6, scale=1.0),
}

MULTIPLYING = (
    *("build*", "train", "vqvae_build*", "vqvae_train", "core.convolution.*"),
    *("*artifex.models", "*artifex.components", "*artifex.training"),
)
"""Functions, as globs, that multiply matrices in the precision that their user sets."""

TF32: dict[str, Tolerance] = {
    # Each factor is rounded to ten bits, 2^-11 relative, in each of a few layers. What cancels,
    # like the gradient of a bias before batch norm, is left with the rounding of its terms. With
    # factors rounded so on a CPU, the worst of the shipped cases needs 0.6 of these bounds.
    "value": Tolerance(relative=2**-7, scale=1.0),
    "forward": Tolerance(absolute=1e-6, relative=2**-6, scale=1.0),
    "cancelled": Tolerance(absolute=1e-6, relative=2**-6, scale=1.0),
    "steps": Tolerance(relative=2**-4, scale=1.0),
    # Adam's steps are of one length: a gradient near 0 that changes its sign turns one around, and
    # twenty of 1e-3 lead 0.04 apart. The worst of the shipped cases needs 0.036.
    "run": Tolerance(absolute=0.04),
    "trained": Tolerance(absolute=2**-9),
}
"""The same for such functions where they round to tf32, by kind; other kinds are as above."""


def kind_of(function: str, output: str) -> str:
    """The kind of an output of a function."""
    return next(
        kind
        for functions, outputs, kind in KINDS
        if fnmatchcase(function, functions) and fnmatchcase(output, outputs)
    )


def precision_of(wanted: Array, inputs: tuple[Array, ...]) -> str:
    """The dtype that says how exact an output can be: a 16-bit one of an input, else its own."""
    of_inputs = {name_of(array.dtype) for array in inputs}
    return next((n for n in ("bf16", "f16") if n in of_inputs), name_of(wanted.dtype))


def tolerance_for(
    function: str, output: str, wanted: Array, inputs: tuple[Array, ...], products: str = "f32"
) -> Tolerance:
    """What an output may differ by; `products` is the implementation's."""
    kind = kind_of(function, output)
    if wanted.dtype.kind in "biu" or kind == "bits":
        return EXACT
    precision = precision_of(wanted, inputs)
    rounded = any(fnmatchcase(function, glob) for glob in MULTIPLYING)
    if products == "tf32" and precision == "f32" and rounded and kind in TF32:
        return TF32[kind]
    return TABLE.get((kind, precision), TABLE["value", precision])
