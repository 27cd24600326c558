"""The numeric core: pure, stateless, jitted functions, and the only place where a formula stands.

One idea a file: `reduce`, `gaussian`, `reconstruction`, `objective`, `schedules`, `quantize`,
`special`, and `convolution`, which is for layers.
Every other function is a `formula`: it takes arrays and returns arrays of the same float dtype
(16-bit ones are computed in float32, and integers count as float32), is differentiable where its
docstring does not say otherwise, and works under `jax.jit`, `jax.grad` and `jax.vmap`. Names, types
and shapes of arguments are checked when it is traced; the values of weights and sizes are checked
by the APIs that stand on the core.
"""
