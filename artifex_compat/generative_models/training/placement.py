"""Where arrays are: on the default device, or on every device of a mesh."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec, Sharding

from edifice_py.checks import owned


def everywhere(mesh: Mesh | None) -> NamedSharding | None:
    """On every device of a mesh alike; None, for the default device, without one."""
    return None if mesh is None else NamedSharding(mesh, PartitionSpec())


def place(tree: Any, sharding: Sharding | None) -> Any:
    """Arrays where a sharding says, also where other processes have some of its devices.

    Args:
        tree: arrays of JAX or numpy, the same in every process.
        sharding: that of every device alike, or None for the default device.
    """
    return jax.tree.map(lambda array: _placed(array, sharding), tree)


def is_key(array: Any) -> bool:
    """Whether an array holds keys of random streams."""
    return bool(jnp.issubdtype(array.dtype, jax.dtypes.prng_key))


def _placed(array: Any, sharding: Sharding | None) -> jax.Array:
    array = owned(array)
    if isinstance(array, jax.Array) and (sharding is None or sharding == array.sharding):
        return array
    if sharding is None or sharding.is_fully_addressable:
        return jax.device_put(array, sharding)
    if is_key(array):
        words = _placed(jax.random.key_data(array), sharding)
        return jax.random.wrap_key_data(words, impl=jax.random.key_impl(array))
    host = np.asarray(array)
    return jax.make_array_from_callback(host.shape, sharding, lambda index: np.array(host[index]))
