"""Keys from `nnx.Rngs`."""

import jax
from flax import nnx


def stream_key(rngs: nnx.Rngs | None, stream: str) -> jax.Array:
    """The next key of a stream.

    Where there is no such stream, of the stream `default`; where there is none either, of the one
    that parameters come from, or of the only one there is.

    Raises:
        TypeError: `rngs` is no `nnx.Rngs`.
        ValueError: it has no stream at all.
    """
    streams = check_rngs(rngs)
    names = [name for name, value in vars(streams).items() if isinstance(value, nnx.RngStream)]
    for name in (stream, "default", "params", *names):
        if name in names:
            key: jax.Array = getattr(streams, name)()
            return key
    raise ValueError(f"rngs must have a stream {stream!r} or 'default', like nnx.Rngs(0).")


def check_rngs(rngs: nnx.Rngs | None) -> nnx.Rngs:
    """`rngs`, which must be an `nnx.Rngs`.

    Raises:
        TypeError: it is none.
    """
    if isinstance(rngs, nnx.Rngs):
        return rngs
    raise TypeError(f"rngs must be an nnx.Rngs, like nnx.Rngs(0), not {rngs!r}.")
