"""What encoders and decoders share: their two constructor styles, and the fit of their input."""

from collections.abc import Sequence
from math import prod
from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core.activations import OUTPUT_ACTIVATIONS, Activation
from artifex_compat.generative_models.core.configuration.checks import (
    only,
    optional,
    size_or_sizes,
)
from artifex_compat.generative_models.core.configuration.network_configs import (
    DecoderConfig,
    EncoderConfig,
)
from artifex_compat.generative_models.core.random import check_rngs
from artifex_compat.generative_models.models.vae.fitting import (
    NoWeights,
    Shape,
    example_shape,
    widen,
    wrong_shape,
)
from artifex_compat.generative_models.models.vae.network_spec import (
    NetworkSpec,
    config_alone,
    wrong_config,
)
from edifice_py.checks import named, owned


class Network(nnx.Module):
    """A network that knows the shape of its input, and can make room in it for a condition."""

    flattens = False
    """Whether inputs of any shape become vectors."""
    any_grid = False
    """Whether images of any height and width fit."""
    takes_name = "x"
    """What the input is called."""
    precision: Any = None
    """That of the model, for layers that are made later."""
    condition_features: int
    """How wide a condition its input has room for."""

    def build(self, shape: Shape, rngs: nnx.Rngs) -> None:
        """Make the weights for examples of a shape."""
        raise NotImplementedError

    @property
    def plain_shape(self) -> Shape | None:
        """Shape of one input without its condition, None where it is not known yet."""
        raise NotImplementedError

    @property
    def first_layer(self) -> nnx.Module:
        """The layer that sees the input."""
        raise NotImplementedError

    @property
    def full_shape(self) -> Shape:
        """Shape of one input with its condition."""
        shape = self.plain_shape or (0,)
        flat = (prod(shape),) if self.flattens and self.condition_features else shape
        return (*flat[:-1], flat[-1] + self.condition_features)

    def takes(self, shape: Shape) -> bool:
        """Whether inputs of a shape fit, with the condition if there is room for one."""
        if self.flattens:
            return prod(shape) == prod(self.full_shape)
        if self.any_grid:
            return len(shape) == 3 and shape[-1] == self.full_shape[-1]
        return shape == self.full_shape

    def adapt(self, shape: Shape) -> None:
        """Take inputs of a shape.

        Raises:
            ValueError: the weights are made for another shape.
        """
        if not self.takes(shape):
            wanted = self.full_shape
            sizes = ("height", "width", wanted[-1]) if self.any_grid else wanted
            raise ValueError(wrong_shape(self.takes_name, sizes, shape, flat=self.flattens))

    def accept(self, x: jax.Array) -> jax.Array:
        """A batch of inputs that the network takes, as `owned` gives it.

        Raises:
            TypeError: it is no array.
            ValueError: the weights are made for another shape.
        """
        self.adapt(example_shape(x))
        return owned(x)

    def widen(self, extra: int, *, rngs: nnx.Rngs) -> None:
        """Make room in the input for a condition of `extra` numbers."""
        widen(self.first_layer, extra, rngs=rngs)
        self.condition_features += extra


class Encoder(Network):
    """Maps a batch to the mean and the log-variance of its posterior.

    Args:
        hidden_dims: width or channels of each layer; an `EncoderConfig` may stand here.
        latent_dim: width of the mean and of the log-variance.
        activation: after every hidden layer, "relu" where not given.
        input_dim: shape of one example, or its width. Where it is not given, the first batch says
            it, and the weights are made then.
        config: an `EncoderConfig` in place of all of these.
        use_batch_norm, use_layer_norm, dropout_rate: options of the layers, off by default here
            and as the configuration says there.
        rngs: parameters come from its stream `params`.

    Raises:
        ValueError: a value is not allowed, or the shape is one that the network cannot take.
        TypeError: both styles are mixed, or something is missing.
    """

    refused: tuple[str, ...] = ()
    """Options that it does not have: refused where given, off whatever a configuration says."""

    @named
    def __init__(
        self,
        hidden_dims: Sequence[int] | EncoderConfig | None = None,
        latent_dim: int | None = None,
        activation: str | None = None,
        input_dim: Sequence[int] | int | None = None,
        *,
        config: EncoderConfig | None = None,
        use_batch_norm: bool | None = None,
        use_layer_norm: bool | None = None,
        dropout_rate: float | None = None,
        condition_features: int = 0,
        rngs: nnx.Rngs,
    ) -> None:
        given, rngs = hidden_dims if config is None else config, check_rngs(rngs)
        if isinstance(given, EncoderConfig):
            config_alone(
                EncoderConfig,
                hidden_dims=None if config is None else hidden_dims,
                latent_dim=latent_dim,
                activation=activation,
                input_dim=input_dim,
                use_batch_norm=use_batch_norm,
                use_layer_norm=use_layer_norm,
                dropout_rate=dropout_rate,
            )
            spec = NetworkSpec.of_encoder_config(given)
        elif config is not None or isinstance(given, DecoderConfig):
            raise wrong_config(given, EncoderConfig)
        else:
            spec = NetworkSpec.of_parts(
                given,
                latent_dim,
                optional(size_or_sizes)("input_dim", input_dim),
                activation=activation,
                output_activation="linear",
                use_batch_norm=use_batch_norm,
                use_layer_norm=use_layer_norm,
                dropout_rate=dropout_rate,
            )
            for option in self.refused:
                only(False, f"a {type(self).__name__}")(option, spec.stack[option])
        self.spec = spec
        self.latent_dim = spec.latent_dim
        self.hidden_dims = spec.hidden_dims
        self.condition_features = condition_features
        self.input_shape = spec.shape
        if spec.shape is None:
            self.weights = nnx.Param(NoWeights(type(self).__name__))
            self.rngs = rngs
        else:
            self.build(spec.shape, rngs)

    @property
    def plain_shape(self) -> Shape | None:
        """`input_shape`."""
        return self.input_shape

    def adapt(self, shape: Shape) -> None:
        """Take examples of a shape: make the weights where they wait for it.

        Raises:
            ValueError: the weights are made for another shape.
        """
        if self.input_shape is None:
            self.input_shape = shape
            self.build(shape, self.rngs)
            del self.weights, self.rngs
            if self.precision is not None:
                self.set_attributes(precision=self.precision, raise_if_not_found=False)
        super().adapt(shape)


class Decoder(Network):
    """Maps latent vectors to reconstructions.

    Args:
        hidden_dims: width or channels of each layer, in the order in which they run; a
            `DecoderConfig` may stand here, whose `hidden_dims` run in reverse.
        output_dim: shape of one reconstruction, or its width.
        latent_dim: width of a latent vector.
        activation: after every hidden layer, "relu" where not given.
        output_activation: after the last layer, "sigmoid" where not given.
        config: a `DecoderConfig` in place of all of these.
        use_batch_norm, use_layer_norm, dropout_rate: options of the layers, off by default.
        rngs: parameters come from its stream `params`.

    Raises:
        ValueError: a value is not allowed, or the shape is one that the network cannot give.
        TypeError: both styles are mixed, or something is missing.
    """

    takes_name = "z"

    @named
    def __init__(
        self,
        hidden_dims: Sequence[int] | DecoderConfig | None = None,
        output_dim: Sequence[int] | int | None = None,
        latent_dim: int | None = None,
        activation: str | None = None,
        *,
        config: DecoderConfig | None = None,
        output_activation: str | None = None,
        use_batch_norm: bool | None = None,
        use_layer_norm: bool | None = None,
        dropout_rate: float | None = None,
        condition_features: int = 0,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        given = hidden_dims if config is None else config
        if isinstance(given, DecoderConfig):
            config_alone(
                DecoderConfig,
                hidden_dims=None if config is None else hidden_dims,
                output_dim=output_dim,
                latent_dim=latent_dim,
                activation=activation,
                output_activation=output_activation,
                use_batch_norm=use_batch_norm,
                use_layer_norm=use_layer_norm,
                dropout_rate=dropout_rate,
            )
            spec = NetworkSpec.of_decoder_config(given)
        elif config is not None or isinstance(given, EncoderConfig):
            raise wrong_config(given, DecoderConfig)
        else:
            spec = NetworkSpec.of_parts(
                given,
                latent_dim,
                size_or_sizes("output_dim", output_dim),
                activation=activation,
                output_activation=output_activation,
                use_batch_norm=use_batch_norm,
                use_layer_norm=use_layer_norm,
                dropout_rate=dropout_rate,
            )
        assert spec.shape is not None  # noqa: S101 # a decoder always has one
        self.spec = spec
        self.latent_dim = spec.latent_dim
        self.hidden_dims = spec.hidden_dims
        self.condition_features = condition_features
        self.output_shape = spec.shape
        self.build(spec.shape, check_rngs(rngs))

    @property
    def activation(self) -> Activation:
        """The function after the last layer."""
        return OUTPUT_ACTIVATIONS[self.spec.output_activation]

    @property
    def latent_shape(self) -> Shape:
        """Shape of one latent vector."""
        return (self.latent_dim,)

    @property
    def plain_shape(self) -> Shape:
        """`latent_shape`."""
        return self.latent_shape
