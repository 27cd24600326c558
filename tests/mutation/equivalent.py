"""Mutants that compute the same, or that no golden case is there to notice, with the reason."""

_OF_NUMPY = "of two, the one for numpy lives: a case's data are of JAX; test_random.py has numpy's"
_BROADCAST = "one leading axis less broadcasts the same"

EQUIVALENT: dict[str, str] = {
    "axon.py apply: 1 -> 2": _BROADCAST,
    "core/quantize.py squared_distances: 1 -> 2": _BROADCAST,
    "core/quantize.py squared_distances: -1 -> 1": "a codebook has two axes",
    "core/quantize.py ema_update: 1 -> 2": "what is divided by where the quotient is not used",
    "core/quantize.py kmeans: 1 -> 2": "of the two, that of a slice: it broadcasts the same",
    "core/special.py module: 16 -> 17": "one more term of the series, below rounding",
    "core/special.py expm1_minus_x: 0.5 -> 1.5": "the series has terms enough up to 1.5",
    "nx.py working: 4 -> 5": "float32 works in float32 either way",
    "random.py _array_words: >> -> <<": _OF_NUMPY,
    "random.py _array_words: 32 -> 33": _OF_NUMPY,
    "random.py _uniform_with: lax.stop_gradient -> jnp.asarray": (
        "no case asks for gradients by the ends; test_noise_has_no_gradient does"
    ),
    "random.py _uniform_with: 2 -> 3": "the choice is for the compiler, and always falls alike",
    "random.py _normal: lax.stop_gradient -> jnp.asarray": (
        "no case asks for gradients by the moments; test_noise_has_no_gradient does"
    ),
}
"""`file function: change` to the reason."""
