"""What a model with an encoder and a decoder can do with its latent space."""

from collections.abc import Mapping
from functools import wraps
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from artifex_compat.generative_models.core.base import GenerativeModel
from artifex_compat.generative_models.core.compiled_calls import compiled_call
from artifex_compat.generative_models.core.random import stream_of
from artifex_compat.generative_models.models.vae.calling import (
    call_in_mode,
    call_with,
    forward_pass,
)
from artifex_compat.generative_models.models.vae.fitting import Shape
from edifice_py.checks import integer, named, owned, positive_int, same_shape, scalar, weight


class LatentModel(GenerativeModel):
    """Samples, reconstructions and walks, all of them for inference.

    They call the model's `encode` and `decode`, so a subclass that overrides these changes them
    too. Private methods take the condition that some models have, as keyword arguments.
    """

    encoder: Any
    decoder: Any
    latent_dim: int
    deterministic: bool = False
    """The mode of the forward pass, which `train()` and `eval()` set."""
    in_forward_pass: bool = False
    """Whether this is the view of a model that its forward pass is called with."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Make `__call__` a forward pass, a user's own one too."""
        super().__init_subclass__(**options)
        owner = next(base for base in cls.__mro__ if "__call__" in vars(base))
        if owner is cls or not issubclass(owner, LatentModel):
            cls.__call__ = compiled_call()(forward_pass(cls.__call__))  # type: ignore[method-assign]

    def check_call(self, arguments: Mapping[str, Any]) -> None:
        """Refuse values of a call that are not allowed, before it runs as a compiled program."""
        if "temperature" in arguments:
            scalar("temperature", arguments["temperature"])
        if arguments.get("beta") is not None:
            weight("beta", arguments["beta"])
        if "dim" in arguments:
            self._check_dim(arguments["dim"])

    def _check_dim(self, dim: object) -> None:
        number = integer(dim)
        if not isinstance(dim, jax.core.Tracer) and (
            number is None or not 0 <= number < self.latent_dim
        ):
            raise ValueError(
                f"Dimension {dim!r} out of range: dim must be from 0 to {self.latent_dim - 1}."
            )

    def set_view(self, deterministic: bool | None = None, **others: Any) -> dict[str, Any]:
        """Set the mode of a view that `nnx.view` makes, and return what is not of it."""
        if deterministic is not None:
            self.deterministic = deterministic
        return others

    def encode(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean and log-variance of the posterior."""
        raise NotImplementedError

    def decode(self, z: jax.Array) -> jax.Array:
        """Reconstructions of latent vectors."""
        raise NotImplementedError

    def reparameterize(
        self, mean: jax.Array, log_var: jax.Array, *, rngs: nnx.Rngs | None = None
    ) -> jax.Array:
        """A sample of the posterior."""
        raise NotImplementedError

    @named
    @compiled_call("n_samples")
    def sample(
        self,
        n_samples: int = 1,
        *,
        temperature: float = 1.0,
        rngs: nnx.Rngs | None = None,
    ) -> jax.Array:
        """Reconstructions of draws from the prior, `[n_samples, *output_shape]`.

        Args:
            n_samples: how many, a Python int: static when compiled.
            temperature: factor on the standard deviation of the prior.
            rngs: where the noise comes from, the model's own where not given.

        Raises:
            ValueError: `n_samples` is negative or no integer.
        """
        return self._sample(n_samples, temperature, rngs)

    def generate(
        self,
        n_samples: int = 1,
        *,
        temperature: float = 1.0,
        rngs: nnx.Rngs | None = None,
        **kwargs: Any,
    ) -> jax.Array:
        """`sample`, by the name that every generative model has; `**kwargs` are its others.

        Raises:
            TypeError: `sample` has no such argument.
        """

        @wraps(self.sample)
        def sample(n_samples: int, **optional: Any) -> jax.Array:
            return self.sample(n_samples, **{**optional, **kwargs})

        return call_with(sample, n_samples, temperature=temperature, rngs=rngs)

    @named
    @compiled_call()
    def reconstruct(
        self, x: jax.Array, *, deterministic: bool = False, rngs: nnx.Rngs | None = None
    ) -> jax.Array:
        """Reconstructions of a batch, `[batch, *output_shape]`.

        Args:
            x: `[batch, *input_shape]`.
            deterministic: decode the mean in place of a sample of the posterior.
            rngs: where the noise comes from, the model's own where not given.

        Raises:
            ValueError: the networks are for another shape.
        """
        return self._reconstruct(x, deterministic, rngs)

    @named
    @compiled_call("steps")
    def interpolate(
        self,
        x1: jax.Array,
        x2: jax.Array,
        steps: int = 10,
        *,
        rngs: nnx.Rngs | None = None,
    ) -> jax.Array:
        """Reconstructions on the line between two examples' means, `[steps, *output_shape]`.

        Args:
            x1: one example, or a batch, of which the first counts.
            x2: the same.
            steps: how many, with both ends; a Python int: static when compiled.
            rngs: given to the networks if they take them.

        Raises:
            ValueError: an example has another shape than the model's, or `steps` is not positive.
        """
        return self._interpolate(x1, x2, steps, rngs)

    @named
    @compiled_call("steps")
    def latent_traversal(
        self,
        x: jax.Array,
        dim: int,
        range_vals: tuple[float, float] = (-3.0, 3.0),
        steps: int = 10,
        *,
        rngs: nnx.Rngs | None = None,
    ) -> jax.Array:
        """Reconstructions while one latent number runs over a range, `[steps, *output_shape]`.

        Args:
            x: one example, or a batch, of which the first counts; its mean is where it starts.
            dim: which latent number, from 0.
            range_vals: where it starts and ends.
            steps: how many, with both ends; a Python int: static when compiled.
            rngs: given to the networks if they take them.

        Raises:
            ValueError: `dim` is out of range, `steps` not positive, or the example has another
                shape than the model's.
        """
        return self._latent_traversal(x, dim, range_vals, steps, rngs)

    def _sample(
        self, n_samples: int, temperature: Any, rngs: nnx.Rngs | None, **condition: Any
    ) -> jax.Array:
        shape = (sample_count(n_samples), *self._latent_shape)
        z = self._noise(shape, rngs) * scalar("temperature", temperature)
        return call_in_mode(self.decode, z, deterministic=True, rngs=rngs, **condition)

    def _reconstruct(
        self, x: jax.Array, deterministic: bool, rngs: nnx.Rngs | None, **condition: Any
    ) -> jax.Array:
        mean, log_var = call_in_mode(self.encode, x, deterministic=True, rngs=rngs, **condition)
        z = mean if deterministic else call_with(self.reparameterize, mean, log_var, rngs=rngs)
        return call_in_mode(self.decode, self._code(z), deterministic=True, rngs=rngs, **condition)

    def _interpolate(
        self, x1: jax.Array, x2: jax.Array, steps: int, rngs: nnx.Rngs | None, **condition: Any
    ) -> jax.Array:
        ends = [self._mean_of_one(name, x, rngs, condition) for name, x in (("x1", x1), ("x2", x2))]
        same_shape(latents_of_x1=ends[0], latents_of_x2=ends[1])
        weights = jnp.linspace(0, 1, positive_int("steps", steps), dtype=ends[0].dtype)
        t = weights.reshape(-1, *(1,) * (ends[0].ndim - 1))
        z = ends[0] * (1 - t) + ends[1] * t
        return call_in_mode(self.decode, self._code(z), deterministic=True, rngs=rngs, **condition)

    def _latent_traversal(
        self,
        x: jax.Array,
        dim: int,
        range_vals: tuple[float, float],
        steps: int,
        rngs: nnx.Rngs | None,
        **condition: Any,
    ) -> jax.Array:
        self._check_dim(dim)
        low, high = range_vals
        mean = self._mean_of_one("x", x, rngs, condition)
        values = jnp.linspace(low, high, positive_int("steps", steps), dtype=mean.dtype)
        z = jnp.repeat(mean, values.shape[0], axis=0)
        grid = (1,) * (mean.ndim - 2)
        z = z.at[..., dim].set(values.reshape(-1, *grid))
        return call_in_mode(self.decode, self._code(z), deterministic=True, rngs=rngs, **condition)

    def _code(self, z: jax.Array) -> jax.Array:
        """What is decoded for a latent vector."""
        return z

    def _noise(self, shape: Shape, rngs: nnx.Rngs | None) -> jax.Array:
        stream = stream_of(self.rngs if rngs is None else rngs, "sample")
        return stream.normal(shape, jnp.float32)

    def _mean_of_one(
        self, name: str, x: jax.Array, rngs: nnx.Rngs | None, condition: dict[str, Any]
    ) -> jax.Array:
        one = single_example(name, x, self._example_shape, any_grid=self._any_grid)
        mean, _ = call_in_mode(self.encode, one, deterministic=True, rngs=rngs, **condition)
        return mean

    @property
    def _example_shape(self) -> Shape | None:
        """Shape of one example: what the encoder remembers, or else what the decoder gives."""
        return getattr(self.encoder, "input_shape", None) or getattr(
            self.decoder, "output_shape", None
        )

    @property
    def _any_grid(self) -> bool:
        return bool(getattr(self.encoder, "any_grid", False))

    @property
    def _latent_shape(self) -> Shape:
        return getattr(self.decoder, "latent_shape", (self.latent_dim,))


def sample_count(n_samples: int) -> int:
    """`n_samples` as an int.

    Raises:
        ValueError: it is negative, or no Python integer.
    """
    count = integer(n_samples)
    if count is None or count < 0:
        raise ValueError(
            f"n_samples must be a non-negative Python int (static when compiled), "
            f"not {n_samples!r}."
        )
    return count


def single_example(
    name: str, x: jax.Array, shape: Shape | None, *, any_grid: bool = False
) -> jax.Array:
    """A batch of one: `x` itself where it is one example, or the first of a batch.

    Args:
        name: what the argument is called.
        x: one example, or a batch of them; flat ones will do too.
        shape: shape of one example, None where nobody knows it.
        any_grid: whether images of another height and width fit too.

    Raises:
        ValueError: it is neither.
    """
    x = jnp.asarray(owned(x))
    if any_grid and shape is not None and x.ndim >= len(shape) and x.shape[-1] == shape[-1]:
        shape = x.shape[-len(shape) :]
    if x.shape == shape or (shape is None and x.ndim == 1):
        return x[None]
    if shape is None or (x.ndim > 1 and prod(x.shape[1:]) == prod(shape)):
        return x[:1]
    if x.size == prod(shape):
        return x.reshape(1, *(shape if x.ndim > 1 else (-1,)))
    raise ValueError(
        f"{name} must be one example of shape {list(shape)} or a batch of them, "
        f"not an array of {list(x.shape)}."
    )
