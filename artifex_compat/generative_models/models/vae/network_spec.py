"""What a network is built from, whichever constructor style it is made in."""

from dataclasses import dataclass
from typing import Any

from artifex_compat.generative_models.core.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS
from artifex_compat.generative_models.core.configuration.checks import (
    flag,
    probability,
    some_sizes,
)
from artifex_compat.generative_models.core.configuration.network_configs import (
    DecoderConfig,
    EncoderConfig,
)
from edifice_py.checks import choice, positive_int


@dataclass(frozen=True)
class NetworkSpec:
    """What a network is built from; both constructor styles end here.

    Attributes:
        hidden_dims: in the order in which the layers run.
        shape: of one example; None where an encoder learns it from its first batch.
        initial_features: channels that a convolutional decoder starts with.
        options: the other options of `MLP`, `CNN` or `ResNet`, as pairs: a graph must hash.
    """

    hidden_dims: tuple[int, ...]
    latent_dim: int
    shape: tuple[int, ...] | None
    initial_features: int
    output_activation: str
    options: tuple[tuple[str, Any], ...]

    @property
    def stack(self) -> dict[str, Any]:
        """`options` as a dictionary."""
        return dict(self.options)

    @classmethod
    def of_encoder_config(cls, config: EncoderConfig) -> "NetworkSpec":
        """The specification that an encoder's configuration stands for."""
        stack = {
            "activation": config.activation,
            "use_batch_norm": config.use_batch_norm and not config.use_layer_norm,
            "use_layer_norm": config.use_layer_norm,
            "dropout_rate": config.dropout_rate,
        }
        dims = config.hidden_dims
        pairs = tuple(stack.items())
        return cls(dims, config.latent_dim, config.input_shape, dims[0], "linear", pairs)

    @classmethod
    def of_decoder_config(cls, config: DecoderConfig) -> "NetworkSpec":
        """The specification that a decoder's configuration stands for: layers in reverse."""
        stack = {
            "activation": config.activation,
            "use_batch_norm": config.batch_norm,
            "dropout_rate": config.dropout_rate,
        }
        return cls(
            config.hidden_dims[::-1],
            config.latent_dim,
            config.output_shape,
            config.hidden_dims[0],
            config.output_activation,
            tuple(stack.items()),
        )

    @classmethod
    def of_parts(
        cls,
        hidden_dims: object,
        latent_dim: object,
        shape: tuple[int, ...] | None,
        *,
        activation: object,
        output_activation: object,
        dropout_rate: object,
        **flags: object,
    ) -> "NetworkSpec":
        """The specification of arguments, checked; None for the default. The layers run as given.

        Args:
            hidden_dims: as the attribute.
            latent_dim: as the attribute.
            shape: as the attribute.
            activation: after every hidden layer, "relu" by default.
            output_activation: after the last layer of a decoder, "sigmoid" by default.
            dropout_rate: of every hidden layer, 0 by default.
            **flags: `use_batch_norm` and `use_layer_norm`, off by default.
        """
        dims = some_sizes("hidden_dims", hidden_dims)
        last = choice("output_activation", _or(output_activation, "sigmoid"), OUTPUT_ACTIVATIONS)
        stack: dict[str, Any] = {name: flag(name, _or(on, False)) for name, on in flags.items()}
        stack["activation"] = choice("activation", _or(activation, "relu"), ACTIVATIONS)
        stack["dropout_rate"] = probability("dropout_rate", _or(dropout_rate, 0.0))
        pairs, width = tuple(stack.items()), positive_int("latent_dim", latent_dim)
        return cls(dims, width, shape, dims[0], last, pairs)


def config_alone(kind: type, **beside: object) -> None:
    """Refuse arguments of the parts style beside a configuration.

    Args:
        kind: the type of the configuration.
        **beside: arguments, None for those that were not given.

    Raises:
        TypeError: one was given.
    """
    for name, value in beside.items():
        if value is not None:
            raise TypeError(f"{name} stands in the {kind.__name__} already: give one or the other.")


def _or(value: object, default: object) -> object:
    return default if value is None else value


def wrong_config(given: object, kind: type) -> TypeError:
    """The error for what is no configuration of a kind."""
    return TypeError(f"config must be an {kind.__name__}, not a {type(given).__name__}.")
