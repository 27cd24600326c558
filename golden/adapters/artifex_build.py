"""Objects as the cases that were recorded from Artifex describe them."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, TypeVar, cast

import jax
from flax import nnx

from golden.adapters.expression import evaluate
from golden.case import Case

Outputs = dict[str, Any]
_F = TypeVar("_F", bound=Callable[..., Any])


class Api(NamedTuple):
    """Where a package has what Artifex's documents name."""

    configuration: Any
    vae: Any
    trainers: Any


def api_of(package: str) -> Api:
    """The API of Artifex, as a package has it."""
    places = ("core.configuration", "models.vae", "training.trainers")
    return Api(*(import_module(f"{package}.generative_models.{place}") for place in places))


def rngs_of(text: str) -> nnx.Rngs:
    """The `nnx.Rngs` that an expression like `nnx.Rngs(0)` makes."""
    found: nnx.Rngs = evaluate(text, {"nnx": _OnlyRngs})
    return found


class _OnlyRngs:
    """What of nnx a recorded expression may use."""

    Rngs = nnx.Rngs


def build(api: Api, case: Case) -> Any:
    """The model of a case, made from its configuration."""
    fields = dict(case.options["config"])
    fields["encoder"] = api.configuration.EncoderConfig(**fields["encoder"])
    fields["decoder"] = api.configuration.DecoderConfig(**fields["decoder"])
    kind = str(case.options["config_class"])
    config = getattr(api.configuration, kind)(**fields)
    kind = kind.removesuffix("Config")
    model = getattr(api.vae, kind)(config, rngs=rngs_of(case.options["rngs"]))
    setup = str(case.options.get("setup", ""))
    if setup.startswith("model.rngs = "):
        model.rngs = rngs_of(setup.removeprefix("model.rngs = ").partition(" ")[0])
    return model


def one_program(*static: str) -> Callable[[_F], _F]:
    """Compile a function as a whole: alone, each operation in it takes its own compilation.

    Args:
        static: names of arguments that are no arrays, and without which no program is the same.
    """

    def compiled(function: _F) -> _F:
        return cast(_F, nnx.jit(function, static_argnames=static))

    return compiled


def recorded_step(step: Any) -> int | float:
    """A step as the recorder passed it: an integer where there is no fraction."""
    return int(step) if float(step).is_integer() else float(step)


def values_of(node: Any, kind: Any, prefix: str) -> dict[str, jax.Array]:
    """Variables of a kind by `prefix/path`."""
    return {
        f"{prefix}/{'/'.join(map(str, path))}": variable[...]
        for path, variable in nnx.to_flat_state(nnx.state(node, kind))
    }
