"""Weights from and to the checkpoints of the released Artifex, 0.1.3.

Artifex's `save_checkpoint` writes a model's whole state by orbax, one folder a step. Its paths are
those of the models here, so weights go from one to the other by name. Settings, like
`hidden_dims`, and random streams are in a checkpoint too: they are written, for Artifex to restore,
and passed over in reading. Nothing is ever unpickled.

Reference:
    avitai-artifex 0.1.3, `artifex.generative_models.core.checkpointing`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from artifex_compat.generative_models.core.layers.cnn import CNN
from artifex_compat.generative_models.core.layers.mlp import MLP
from artifex_compat.generative_models.core.layers.stack import Stack
from artifex_compat.generative_models.models.vae.base import VAE
from artifex_compat.generative_models.models.vae.codebook import Codebook
from edifice_py.checks import integer
from edifice_py.interchange.errors import InterchangeError, sentence

Path_ = tuple[Any, ...]
"""Where a variable is in a model: ("encoder", "backbone", "layers", 0, "kernel")."""

_ARTIFEX = re.compile(
    r"(encoder|decoder)(/encoder|/decoder)?"
    r"/((backbone|cnn)/(layers|batch_norms)/\d+|mean_proj|logvar_proj"
    r"|output_layer|project|output_conv)/(kernel|bias|scale|mean|var)"
    r"|embeddings/embedding"
)
_WEIGHTS = ("kernel", "bias", "scale", "mean", "var", "embedding")
_OURS = ("usage", "total", "started")
_ITEM = "model"


def load_artifex_weights(model: VAE, folder: str | Path, step: int | None = None) -> int:
    """Put the weights of an Artifex checkpoint into a model, in place.

    Parameters, running statistics and codes are those of the checkpoint; the model's random streams
    stay as they are.

    Args:
        model: a model of the same configuration.
        folder: what Artifex's `setup_checkpoint_manager` was given.
        step: which checkpoint, the newest where it is not given.

    Returns:
        The step of the checkpoint.

    Raises:
        InterchangeError: there is no such checkpoint, or it is broken, or a weight does not fit:
            the sentence names it, with its shape there and the one that the model wants. Nothing
            has been changed then.
    """
    variables = _weights(model)
    step, item = _checkpoint(Path(folder).expanduser().absolute(), step)
    try:
        found = dict(_leaves(_metadata(item)))
    except Exception as error:
        # orbax and tensorstore raise a dozen kinds of errors on broken files.
        raise InterchangeError(f"{item}: it cannot be read: {sentence(error)}.") from error
    for name, variable in variables.items():
        _check_fit(f"{item}: ", name, variable, found.get(name))
    for name in found:
        if name not in variables and name.rpartition("/")[2] in _WEIGHTS:
            raise InterchangeError(f"{item}: the model has no {name!r}, which the checkpoint has.")
    try:
        arrays = _restore(item, variables)
    except Exception as error:
        raise InterchangeError(f"{item}: it cannot be read: {sentence(error)}.") from error
    for name, variable in variables.items():
        variable[...] = jnp.asarray(arrays[name])
    _settle(model)
    return step


def save_artifex_weights(model: VAE, folder: str | Path, step: int = 0) -> None:
    """Write a checkpoint that Artifex's `load_checkpoint` restores.

    Args:
        model: a model that Artifex 0.1.3 has too: of dense layers or convolutions.
        folder: where the checkpoints are; it is made if need be.
        step: names the checkpoint.

    Raises:
        ValueError: the step is no integer from 0.
        InterchangeError: the model has what Artifex does not have, or there is a checkpoint of that
            step, or the folder cannot be written to.
    """
    import orbax.checkpoint as ocp

    if integer(step) is None or step < 0:
        raise ValueError(f"step must be an integer from 0, not {step!r}.")
    folder = Path(folder).expanduser().absolute()
    for name in _weights(model):
        if not _ARTIFEX.fullmatch(name):
            raise InterchangeError(f"Artifex 0.1.3 has no {name!r}, which the model has.")
    if (folder / str(step)).exists():
        raise InterchangeError(f"{folder}: there is a checkpoint of step {step} already.")
    try:
        with ocp.CheckpointManager(
            folder, options=ocp.CheckpointManagerOptions(enable_async_checkpointing=False)
        ) as manager:
            state = ocp.args.StandardSave(nnx.from_flat_state(_state(model)))
            # Left to itself, orbax passes over a step before the newest.
            manager.save(step, args=ocp.args.Composite(**{_ITEM: state}), force=True)
    except (OSError, ValueError) as error:
        raise InterchangeError(
            f"{folder}: step {step} cannot be written: {sentence(error)}."
        ) from error


def _weights(model: VAE) -> dict[str, Any]:
    """The variables that Artifex has too, by their names there."""
    flat = nnx.to_flat_state(nnx.state(model, nnx.Not(nnx.RngState)))
    found = {_name(path): variable for path, variable in flat if path[-1] not in _OURS}
    for name, variable in found.items():
        if not isinstance(variable.get_value(), jax.Array):
            raise InterchangeError(
                f"{name} has no weights before its first batch: give the encoder input_dim."
            )
    return found


def _name(path: Path_) -> str:
    return "/".join(map(str, path))


def _checkpoint(folder: Path, step: int | None) -> tuple[int, Path]:
    """A step, and the folder of its model; orbax renames a folder when it is complete."""
    places = folder.iterdir() if folder.is_dir() else ()
    steps = sorted(int(place.name) for place in places if re.fullmatch("[0-9]{1,18}", place.name))
    if step is None and steps:
        step = steps[-1]
    if step not in steps or step is None:
        known = ", ".join(map(str, steps)) or "none"
        wanted = "" if step is None else f" of step {step}"
        raise InterchangeError(f"{folder}: there is no checkpoint{wanted}; its steps are: {known}.")
    item = folder / str(step) / _ITEM
    if not item.is_dir():
        raise InterchangeError(f"{folder}: step {step} holds no {_ITEM!r}, as Artifex names it.")
    return step, item


def _metadata(item: Path) -> Any:
    """Shapes and types of all that is in a checkpoint, as nested dictionaries."""
    import orbax.checkpoint as ocp

    return ocp.PyTreeCheckpointHandler().metadata(item).tree


def _leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, path if key == "value" else (*path, str(key)))
    else:
        yield "/".join(path), node


def _check_fit(prefix: str, name: str, variable: Any, metadata: Any) -> None:
    wanted = variable[...]
    if metadata is None:
        raise InterchangeError(f"{prefix}there is no {name!r}, which the model wants.")
    shape, dtype = getattr(metadata, "shape", None), getattr(metadata, "dtype", None)
    if shape is None or tuple(shape) != wanted.shape:
        given = "no shape" if shape is None else f"the shape {list(shape)}"
        raise InterchangeError(
            f"{prefix}{name!r} has {given} there; the model wants {list(wanted.shape)}."
        )
    if np.dtype(dtype) != wanted.dtype:
        raise InterchangeError(
            f"{prefix}{name!r} is {dtype} there; the model wants {wanted.dtype}."
        )


def _restore(item: Path, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of the weights alone; no more than their declared sizes is allocated."""
    import orbax.checkpoint as ocp

    wanted: dict[str, Any] = {}
    for name, variable in variables.items():
        node = wanted
        for key in name.split("/"):
            node = node.setdefault(key, {})
        node["value"] = np.empty(variable[...].shape, variable[...].dtype)
    arguments = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), wanted)
    restored = ocp.PyTreeCheckpointHandler().restore(
        item,
        args=ocp.args.PyTreeRestore(item=wanted, restore_args=arguments, partial_restore=True),
    )
    return dict(_leaves(restored))


def _settle(model: VAE) -> None:
    """Make a codebook's own averages those of the codes that it was given."""
    codebook = getattr(model, "embeddings", None)
    if not isinstance(codebook, Codebook):
        return
    if codebook.use_ema:
        codebook.total[...] = codebook.embedding[...] * codebook.usage[...][:, None]
    if codebook.kmeans_init:
        codebook.started[...] = jnp.array(True)


def _state(model: VAE) -> list[tuple[Path_, Any]]:
    """The state that Artifex's model of the same configuration has, by path."""
    flat = nnx.to_flat_state(nnx.state(model))
    streams = [(path, variable) for path, variable in flat if path[0] == "rngs"]
    weights = [(path, variable) for path, variable in flat if _ARTIFEX.fullmatch(_name(path))]
    settings = [
        ((*path, name), nnx.Variable(value))
        for path, module in nnx.iter_modules(model)
        if isinstance(module, Stack)
        for name, value in _settings(module).items()
    ]
    return [*weights, *settings, *streams]


def _settings(stack: Stack) -> dict[str, Any]:
    """What a stack of Artifex's keeps in its state beside its weights."""
    found = {
        "dropout_rate": stack.options.dropout_rate,
        "use_batch_norm": stack.options.batch_norm,
    }
    if isinstance(stack, MLP):
        features = stack.layers[0].in_features
        return {**found, "hidden_dims": list(stack.hidden_dims), "in_features": features}
    if isinstance(stack, CNN):
        return {
            **found,
            "hidden_dims": list(stack.hidden_dims),
            "groups": 1,
            "use_depthwise_separable": False,
            "use_transpose": stack.use_transpose,
        }
    return found
