"""Keys from `nnx.Rngs`."""

import jax
from flax import nnx


def stream_key(rngs: nnx.Rngs | None, stream: str) -> jax.Array:
    """The next key of a stream, as `stream_of` finds it.

    Raises:
        TypeError, ValueError: as `stream_of`.
    """
    return stream_of(rngs, stream)()


def stream_of(rngs: nnx.Rngs | None, stream: str) -> nnx.RngStream:
    """A stream; where there is none of the name, `default`, `params`, or the only one there is.

    Raises:
        TypeError: `rngs` is no `nnx.Rngs`.
        ValueError: it has no stream at all.
    """
    streams = check_rngs(rngs)
    names = [name for name, value in vars(streams).items() if isinstance(value, nnx.RngStream)]
    for name in (stream, "default", "params", *names):
        if name in names:
            found: nnx.RngStream = getattr(streams, name)
            return found
    raise ValueError(f"rngs must have a stream {stream!r} or 'default', like nnx.Rngs(0).")


def check_rngs(rngs: nnx.Rngs | None) -> nnx.Rngs:
    """`rngs`, which must be an `nnx.Rngs`.

    Raises:
        TypeError: it is none.
    """
    if isinstance(rngs, nnx.Rngs):
        return rngs
    raise TypeError(f"rngs must be an nnx.Rngs, like nnx.Rngs(0), not {rngs!r}.")
