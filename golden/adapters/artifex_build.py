"""Objects as the cases that were recorded from Artifex describe them."""

from typing import Any

import jax
from flax import nnx

from artifex_compat.generative_models.core import configuration
from artifex_compat.generative_models.models import vae
from golden.adapters.expression import evaluate
from golden.case import Case

Outputs = dict[str, Any]


def rngs_of(text: str) -> nnx.Rngs:
    """The `nnx.Rngs` that an expression like `nnx.Rngs(0)` makes."""
    found: nnx.Rngs = evaluate(text, {"nnx": _OnlyRngs})
    return found


class _OnlyRngs:
    """What of nnx a recorded expression may use."""

    Rngs = nnx.Rngs


def build(case: Case) -> Any:
    """The model of a case, made from its configuration."""
    fields = dict(case.options["config"])
    fields["encoder"] = configuration.EncoderConfig(**fields["encoder"])
    fields["decoder"] = configuration.DecoderConfig(**fields["decoder"])
    kind = str(case.options["config_class"])
    config = getattr(configuration, kind)(**fields)
    model = getattr(vae, kind.removesuffix("Config"))(config, rngs=rngs_of(case.options["rngs"]))
    setup = str(case.options.get("setup", ""))
    if setup.startswith("model.rngs = "):
        model.rngs = rngs_of(setup.removeprefix("model.rngs = ").partition(" ")[0])
    return model


def recorded_step(step: Any) -> int | float:
    """A step as the recorder passed it: an integer where there is no fraction."""
    return int(step) if float(step).is_integer() else float(step)


def values_of(node: Any, kind: Any, prefix: str) -> dict[str, jax.Array]:
    """Variables of a kind by `prefix/path`."""
    return {
        f"{prefix}/{'/'.join(map(str, path))}": variable[...]
        for path, variable in nnx.to_flat_state(nnx.state(node, kind))
    }
