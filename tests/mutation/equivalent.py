"""Mutants that compute the same, or that no golden case is there to notice, with the reason."""

_BROADCAST = "one leading axis less broadcasts the same"
_EITHER_WAY = "which of two ways is taken, and both give the same"
_IN_ORDER = (
    "reconstruction, target = checks.same_shape(reconstruction=reconstruction, target=target)"
)
_SWAPPED = _IN_ORDER.replace("reconstruction, target =", "target, reconstruction =")

EQUIVALENT: dict[str, str] = {
    "axon.py apply: 1 -> 2": _BROADCAST,
    "core/convolution.py _convolution_by_products: 0 -> 1": "half of the padding: 1 // 2 is 0 too",
    "core/convolution.py _convolution_by_products: strides == (1, 1) -> strides < (1, 1)": (
        _EITHER_WAY
    ),
    "core/convolution.py _convolution_by_products: outputs < inputs -> outputs >= inputs": (
        _EITHER_WAY
    ),
    "core/convolution.py _transposed_by_products: 1 -> 2": (
        "where the stride is the taps less 1, both choices are the same number"
    ),
    "core/convolution.py _gathered: -n // s -> -n * s": "more zeros around, which nothing sees",
    "core/convolution.py _added_up: 0 -> 1": "all taps have one shape and type",
    "core/quantize.py squared_distances: 1 -> 2": _BROADCAST,
    "core/quantize.py squared_distances: -1 -> 1": "a codebook has two axes",
    "core/quantize.py ema_update: 1 -> 2": "what is divided by where the quotient is not used",
    "core/special.py module: 16 -> 17": "one more term of the series, below rounding in float64",
    "core/special.py expm1_minus_x: 0.5 -> 1.5": (
        "of three, the ends of the clip live: the series is not used that far"
    ),
    f"generative/vae.py loss: {_IN_ORDER} -> {_SWAPPED}": "a square has no sign",
    f"generative/vqvae.py loss: {_IN_ORDER} -> {_SWAPPED}": "a square has no sign",
    "nx.py working: 4 -> 5": "float32 works in float32 either way",
    "random.py _uniform_with: 2 -> 3": "the choice is for the compiler, and always falls alike",
}
"""`file function: change` to the reason."""
