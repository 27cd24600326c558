"""What a network is built from, whichever constructor style it is made in."""

from dataclasses import dataclass
from typing import Any

from artifex_compat.generative_models.core.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS
from artifex_compat.generative_models.core.configuration.checks import probability, some_sizes
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
        activation: object,
        shape: tuple[int, ...] | None,
        output_activation: object,
        **stack: Any,
    ) -> "NetworkSpec":
        """The specification of arguments, checked; the layers run as given."""
        dims = some_sizes("hidden_dims", hidden_dims)
        stack["activation"] = choice("activation", activation, ACTIVATIONS)
        stack["dropout_rate"] = probability("dropout_rate", stack["dropout_rate"])
        last = choice("output_activation", output_activation, OUTPUT_ACTIVATIONS)
        pairs, width = tuple(stack.items()), positive_int("latent_dim", latent_dim)
        return cls(dims, width, shape, dims[0], last, pairs)


def config_alone(kind: type, **beside: object) -> None:
    """Refuse arguments of the parts style beside a configuration.

    Args:
        kind: the type of the configuration.
        **beside: arguments; those that were not given are None, 0, False or "relu" or "sigmoid".

    Raises:
        TypeError: one was given.
    """
    for name, value in beside.items():
        if value not in (None, 0, False, "relu", "sigmoid"):
            raise TypeError(f"{name} stands in the {kind.__name__} already: give one or the other.")


def wrong_config(given: object, kind: type) -> TypeError:
    """The error for what is no configuration of a kind."""
    return TypeError(f"config must be an {kind.__name__}, not a {type(given).__name__}.")
