"""Where the two constructor styles of a model meet."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from artifex_compat.generative_models.core.configuration import VAEConfig
from edifice_py.checks import positive_int

_NETWORKS = ("encoder", "decoder", "encoder_type")
_OF_EVERY_CONFIG = ("name", "description", "tags", "metadata")


@dataclass(frozen=True)
class Parts:
    """What a model is put together from.

    Attributes:
        config: the configuration, None in parts style.
        encoder, decoder: the networks in parts style.
        latent_dim: width of a latent vector.
        options: the fields of the model's configuration that are not about networks.
    """

    config: VAEConfig | None
    encoder: Any
    decoder: Any
    latent_dim: int
    options: dict[str, Any]


def assemble(
    kind: type[VAEConfig],
    encoder: Any,
    decoder: Any,
    latent_dim: Any,
    config: Any,
    given: Mapping[str, Any],
) -> Parts:
    """The parts of a model from either constructor style.

    Args:
        kind: the type of its configuration, which checks the options of the other style too.
        encoder: a network, or the configuration where that is given by position.
        decoder: a network.
        latent_dim: width of a latent vector.
        config: the configuration.
        given: options of the parts style, None for those that were not given.

    Raises:
        TypeError: both styles are mixed, or an argument is of another type.
        ValueError: a network is missing, or an option has a value that is not allowed.
    """
    if isinstance(encoder, VAEConfig) and config is None:
        encoder, config = None, encoder
    options = {name: value for name, value in given.items() if value is not None}
    specs = _options(kind)
    if config is None:
        _check_networks(encoder, decoder)
        values = {name: options.get(name, _default(spec)) for name, spec in specs.items()}
        checked = {name: spec.metadata["check"](name, values[name]) for name, spec in specs.items()}
        width = positive_int("latent_dim", latent_dim)
        for name, network in (("encoder", encoder), ("decoder", decoder)):
            if (had := getattr(network, "latent_dim", width)) != width:
                raise ValueError(f"latent_dim must be the {name}'s, {had}, not {width}.")
        return Parts(None, encoder, decoder, width, checked)
    if not isinstance(config, kind):
        raise TypeError(f"config must be a {kind.__name__}, not a {type(config).__name__}.")
    parts = {"encoder": encoder, "decoder": decoder, "latent_dim": latent_dim} | options
    for name, value in parts.items():
        if value is not None:
            raise TypeError(f"{name} stands in the config already: give one or the other.")
    _, of_decoder = config.networks()
    values = {name: getattr(config, name) for name in specs}
    return Parts(config, None, None, of_decoder.latent_dim, values)


def _options(kind: type[VAEConfig]) -> dict[str, Field[Any]]:
    others = (*_NETWORKS, *_OF_EVERY_CONFIG)
    return {field.name: field for field in fields(kind) if field.name not in others}


def _default(spec: Field[Any]) -> Any:
    return None if spec.default is MISSING else spec.default


def _check_networks(encoder: Any, decoder: Any) -> None:
    for name, network in (("encoder", encoder), ("decoder", decoder)):
        if network is None:
            raise ValueError(f"{name} is required: give a network, or a config for the model.")
        if not callable(network):
            raise TypeError(
                f"{name} must be a network that can be called, not a {type(network).__name__}."
            )
