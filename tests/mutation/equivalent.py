"""Mutants that compute the same, or that no golden case is there to notice, with the reason."""

_BROADCAST = "one leading axis less broadcasts the same"

EQUIVALENT: dict[str, str] = {
    "axon.py apply: 1 -> 2": _BROADCAST,
    "core/quantize.py squared_distances: 1 -> 2": _BROADCAST,
    "core/quantize.py squared_distances: -1 -> 1": "a codebook has two axes",
    "nx.py working: 4 -> 5": "float32 works in float32 either way",
    "random.py _uniform_with: 2 -> 3": "the choice is for the compiler, and always falls alike",
    "random.py _normal: lax.stop_gradient -> jnp.asarray": (
        "no case asks for gradients by the moments; test_noise_has_no_gradient does"
    ),
}
"""`file function: change` to the reason."""
