"""What turns a network into a conditional one: labels become vectors that join its input."""

from collections.abc import Mapping
from math import prod
from typing import Any, Self, TypeGuard

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from artifex_compat.generative_models.core.configuration.vae_config import CONDITION_TYPES
from artifex_compat.generative_models.core.layers.linear import linear
from artifex_compat.generative_models.core.random import check_rngs
from artifex_compat.generative_models.models.vae.conditioning import condition_vectors, join
from artifex_compat.generative_models.models.vae.fitting import Shape, example_shape, wrong_shape
from artifex_compat.generative_models.models.vae.networks import Network
from edifice_py.checks import choice, named, options, owned, positive_int
from edifice_py.nx import float_type


class ConditionalWrapper(nnx.Module):
    """A network whose input is joined with a condition.

    The condition is the one-hot row of a label, or with `embed_dim` a learned embedding of it.
    A network made for the input alone is given room for the condition by the first batch, or by
    the model around it; one that is wide enough already is used as it is.

    Args:
        module: the network to wrap.
        num_classes: how many labels there are.
        embed_dim: width of the embedding, None for one-hot.
        condition_dim: width of the one-hot row, `num_classes` where not given; labels run from 0
            to `condition_dim - 1`, as in Artifex.
        condition_type: "concat" puts the condition beside the input, "add" adds a learned
            projection of it.
        rngs: parameters come from its stream `params`.

    Raises:
        ValueError: a value is not allowed.
    """

    @named
    def __init__(
        self,
        module: nnx.Module,
        num_classes: int,
        embed_dim: int | None = None,
        *,
        condition_dim: int | None = None,
        condition_type: str = "concat",
        rngs: nnx.Rngs,
    ) -> None:
        if not isinstance(module, nnx.Module):
            raise TypeError(f"{self.wraps} must be an nnx.Module, not {module!r}.")
        setattr(self, self.wraps, module)
        self.num_classes = positive_int("num_classes", num_classes)
        self.condition_dim = positive_int("condition_dim", condition_dim or num_classes)
        self.condition_type = choice("condition_type", condition_type, CONDITION_TYPES)
        self.embed_dim = None if embed_dim is None else positive_int("embed_dim", embed_dim)
        if self.embed_dim is not None:
            self.embedding = nnx.Embed(self.condition_dim, self.embed_dim, rngs=rngs)
        self.has_room = bool(getattr(module, "condition_features", 0))
        self.input_shape = getattr(module, "plain_shape", None) if self.has_room else None
        if not self.has_room:
            self.rngs = check_rngs(rngs)
            shape = getattr(module, "plain_shape", None)
            if condition_type == "add" and shape is not None:
                self.adapt(shape)

    wraps = "module"
    """Name of the attribute that holds the wrapped network."""

    @classmethod
    def around(
        cls,
        kind: type[Network],
        config: Any,
        num_classes: int | None,
        embed_dim: int | None,
        condition_dim: int | None = None,
        condition_type: str = "concat",
        *,
        rngs: nnx.Rngs,
    ) -> Self:
        """A network of a configuration that is made with room for its condition, wrapped.

        Args:
            kind: the class of the network.
            config: its configuration.
            num_classes: as for the wrapper, and so are the others.
            embed_dim: as for the wrapper.
            condition_dim: as for the wrapper.
            condition_type: as for the wrapper.
            rngs: parameters come from its stream `params`.

        Raises:
            ValueError: there is no positive number of classes, or a value is not allowed.
        """
        classes = positive_int("num_classes", num_classes)
        choice("condition_type", condition_type, CONDITION_TYPES)
        width = embed_dim or condition_dim or classes
        room = width if condition_type == "concat" else 0
        base = kind(config=config, condition_features=room, rngs=rngs)  # type: ignore[call-arg]
        options = {"condition_dim": condition_dim, "condition_type": condition_type}
        return cls(base, classes, embed_dim, rngs=rngs, **options)  # type: ignore[arg-type]

    @property
    def wrapped(self) -> Any:
        """The wrapped network."""
        return getattr(self, self.wraps)

    @property
    def condition_features(self) -> int:
        """How wide a condition is."""
        return self.condition_dim if self.embed_dim is None else self.embed_dim

    @property
    def any_grid(self) -> bool:
        """Whether images of any height and width fit; a projection to add is for one size."""
        return self.condition_type == "concat" and bool(getattr(self.wrapped, "any_grid", False))

    @property
    def latent_dim(self) -> int:
        """Width of a latent vector."""
        return int(self.wrapped.latent_dim)

    def adapt(self, shape: Shape) -> None:
        """Take inputs of a shape: make room for their condition where there is none yet.

        Raises:
            ValueError: the network is made for another shape.
        """
        if self.has_room:
            return
        module, features = self.wrapped, self.condition_features
        if isinstance(module, Network) and not _is_built(module):
            module.adapt(shape if self.condition_type == "add" else self._joined(shape))
        if self.condition_type == "add":
            self.condition_proj = linear(features, prod(shape), use_bias=False, rngs=self.rngs)
        elif _is_built(module) and not module.takes(self._joined(shape)):
            module.adapt(shape)
            module.widen(features, rngs=self.rngs)
        self.input_shape = shape
        self.has_room = True
        del self.rngs

    def could_take(self, shape: Shape) -> bool:
        """Whether the network is made for inputs of a shape, with or without a condition."""
        module = self.wrapped
        return _is_built(module) and (module.takes(shape) or module.takes(self._joined(shape)))

    def conditioned(self, x: jax.Array, y: object) -> jax.Array:
        """The input with its condition.

        Raises:
            TypeError, ValueError: `y` is not what a condition can be, or `x` does not fit.
        """
        x = owned(x)
        rows = condition_vectors(y, x.shape[0], self.condition_dim)
        if self.embed_dim is not None:
            rows = jnp.matmul(rows, self.embedding.embedding[...], precision=lax.Precision.HIGHEST)
        self.adapt(example_shape(x))
        if self.condition_type == "add":
            shape = example_shape(x)
            if prod(shape) != self.condition_proj.out_features:
                raise ValueError(wrong_shape("the input", self.input_shape or (), shape))
            dtype = float_type(x)
            added = self.condition_proj(rows).reshape(x.shape)
            return x.astype(dtype) + added.astype(dtype)
        flat = x.reshape(x.shape[0], prod(x.shape[1:])) if self._flattens else x
        return join(flat, rows)

    @property
    def _flattens(self) -> bool:
        return bool(getattr(self.wrapped, "flattens", False))

    def _joined(self, shape: Shape) -> Shape:
        flat = (prod(shape),) if self._flattens else shape
        return (*flat[:-1], flat[-1] + self.condition_features)


def check_condition_options(
    function: str, conditional: bool, given: Mapping[str, object], others: Mapping[str, object]
) -> None:
    """Refuse options of a condition where there is none, and options that no condition has.

    Raises:
        TypeError: one was given.
    """
    options(function, others, (*given, "condition_dim", "condition_type"))
    for name, value in {**given, **others}.items():
        if not conditional and value is not None:
            raise TypeError(f"{name} must not be given without conditional=True, not {value!r}.")


def _is_built(module: Any) -> TypeGuard[Network]:
    """Whether a network has weights, for inputs of a shape that it knows."""
    return isinstance(module, Network) and module.plain_shape is not None
