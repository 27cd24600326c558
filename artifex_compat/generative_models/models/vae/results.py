"""The dictionaries that models give and take: documented names, and their other spellings."""

from collections.abc import Mapping
from typing import Any

import jax

from artifex_compat.generative_models.models.vae.batch import DATA_KEYS
from edifice_py.checks import same_shape

ALIASES = {
    "reconstructed": "reconstruction",
    "log_var": "logvar",
    "reconstruction_loss": "recon_loss",
    "total_loss": "loss",
}
"""Names, and the second spelling that the documents have for each."""

RECONSTRUCTION_KEYS = ("reconstructed", "reconstruction", "output")
"""Where a decoder that gives a dictionary may have its reconstruction."""


def with_aliases(results: Mapping[str, Any]) -> dict[str, Any]:
    """Results under both spellings of every name."""
    both: dict[str, Any] = {}
    for name, value in results.items():
        both[name] = value
        if name in ALIASES:
            both[ALIASES[name]] = value
    return both


def read(outputs: Mapping[str, Any], name: str) -> Any:
    """An output under either spelling of its name.

    Raises:
        KeyError: it is under neither.
    """
    for spelling in (name, ALIASES.get(name, name)):
        if spelling in outputs:
            return outputs[spelling]
    raise KeyError(f"outputs must have {name!r}; they have {', '.join(map(repr, outputs))}.")


def are_outputs(value: object) -> bool:
    """Whether this is what a model gives, and no batch of data."""
    if not isinstance(value, Mapping):
        return isinstance(value, tuple) and len(value) == 3
    reconstructed = any(key in value for key in ("reconstructed", "reconstruction"))
    others = any(key in value for key in ("mean", "log_var", "logvar", "commitment_loss"))
    return reconstructed or (others and not any(key in value for key in DATA_KEYS))


def loss_arguments(
    params: Any, batch: Any, x: Any, outputs: Any, others: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The batch and the outputs among the arguments of a `loss_fn`.

    They come by the documented names, `params` and `batch` first; or as in the releases of Artifex,
    `loss_fn(batch, model_outputs)`, both of them by position or the second by its name.

    Raises:
        TypeError: there are two outputs.
    """
    given = [o for o in (outputs, others.get("model_outputs")) if o is not None]
    if are_outputs(batch):
        given, batch = [batch, *given], None
    if len(given) > 1:
        raise TypeError(
            "outputs must be given once: the second by position, as outputs= or as model_outputs=."
        )
    batch = params if x is None and batch is None else batch
    return batch, given[0] if given else None


def as_outputs(outputs: Any) -> Mapping[str, Any]:
    """Outputs of a model, which may be the tuple (reconstruction, mean, log-variance).

    Raises:
        TypeError: they are something else.
    """
    if isinstance(outputs, Mapping):
        return outputs
    if isinstance(outputs, tuple) and len(outputs) == 3:
        return dict(zip(("reconstructed", "mean", "log_var"), outputs, strict=True))
    raise TypeError(
        "outputs must be a dictionary or a tuple (reconstruction, mean, log_var), "
        f"not a {type(outputs).__name__}."
    )


def posterior_of(encoded: Any) -> tuple[jax.Array, jax.Array]:
    """Mean and log-variance from what an encoder gave: a pair, or a dictionary of both.

    Raises:
        ValueError: it is something else, or the two have different shapes.
    """
    if isinstance(encoded, Mapping):
        names = set(encoded)
        if "mean" in names and names & {"log_var", "logvar"}:
            encoded = encoded["mean"], read(encoded, "log_var")
    if not isinstance(encoded, tuple | list) or len(encoded) != 2:
        raise ValueError(
            "encoder must give (mean, log_var), or a dictionary of both, "
            f"not a {type(encoded).__name__}."
        )
    mean, log_var = encoded
    same_shape(mean=mean, log_var=log_var)
    return mean, log_var


def reconstruction_of(decoded: Any) -> jax.Array:
    """The reconstruction from what a decoder gave: an array, or a dictionary with one.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(decoded, Mapping):
        found = [decoded[name] for name in RECONSTRUCTION_KEYS if name in decoded]
        decoded = found[0] if found else decoded
    if hasattr(decoded, "shape") and hasattr(decoded, "dtype"):
        return decoded
    raise ValueError(
        "decoder must give an array, or a dictionary with "
        f"{' or '.join(map(repr, RECONSTRUCTION_KEYS))}, not a {type(decoded).__name__}."
    )
