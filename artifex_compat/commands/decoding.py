"""`sample` and `traverse`: images that a trained model makes."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from artifex_compat import pictures
from artifex_compat.commands.datasets import evaluation_batch, prepared
from artifex_compat.commands.drawing import labels_in_turn, means_of, png_of, samples_of
from artifex_compat.commands.errors import CommandError, refusing
from artifex_compat.commands.run_folder import RunFolder, write
from artifex_compat.commands.trained import trained
from artifex_compat.data.files import Array
from artifex_compat.evaluation import latent_traversals
from artifex_compat.evaluation.traversals import values_of
from edifice_py.checks import positive_int

SUFFIXES = (".png", ".npz")


def sample(
    run: Path, count: int, seed: int, out: Path | None, step: int | str | None
) -> tuple[dict[str, Any], str]:
    """Draw from the prior, and decode.

    Args:
        run: the folder of a run.
        count: how many; of a conditional model its classes come in turn.
        seed: of the draws.
        out: a .png of all, or a .npz with `images` and `labels`; samples.png where not given.
        step: that of the checkpoint, or "best"; None for the newest.

    Returns:
        Where they are, for JSON and as words.

    Raises:
        CommandError: it was refused.
    """
    file = _file(run, out, "samples.png")
    config, model, _ = trained(RunFolder(run), step)
    with refusing():
        labels = labels_in_turn(config, positive_int("--count", count))
        images = samples_of(model, count, seed, labels)
        arrays = {"images": images} | ({} if labels is None else {"labels": labels})
        _write(file, arrays, lambda: pictures.sample_grid(images))
    return {"file": str(file), "count": count, "seed": seed}, f"{count} samples are in {file}"


def traverse(
    run: Path,
    dims: Sequence[int] | None,
    values: Sequence[float] | None,
    index: int,
    out: Path | None,
    step: int | str | None,
) -> tuple[dict[str, Any], str]:
    """Move one latent after another, and decode.

    Args:
        run: the folder of a run.
        dims: which latents, from 0; all where not given.
        values: what each is set to; 11 from -3 to 3 where not given.
        index: of the held-out example that says where the others stay, from 0.
        out: a .png, or a .npz with `images` `[dims, values, ...]`, `dims` and `values`;
            traversals.png where not given.
        step: that of the checkpoint, or "best"; None for the newest.

    Returns:
        Where they are, for JSON and as words.

    Raises:
        CommandError: it was refused.
    """
    file = _file(run, out, "traversals.png")
    config, model, _ = trained(RunFolder(run), step)
    with refusing():
        batch = evaluation_batch(prepared(config).held_out, config)
        if not 0 <= index < len(batch["image"]):
            raise ValueError(
                f"--index must be from 0 to {len(batch['image']) - 1}, a held-out example, "
                f"not {index}."
            )
        one = {name: rows[index : index + 1] for name, rows in batch.items()}
        chosen = list(range(config.model.latent_dim)) if dims is None else list(dims)
        steps = values_of(values)
        images = latent_traversals(
            model,
            means_of(model, one),
            dims=chosen,
            values=steps,
            condition=one.get("y"),
        )
        arrays = {"images": images, "dims": np.asarray(chosen), "values": steps}
        _write(file, arrays, lambda: pictures.traversal_grid(images, steps, dims=chosen))
    facts = {"file": str(file), "dims": chosen, "values": steps.tolist(), "index": index}
    return facts, f"traversals of {len(chosen)} latents are in {file}"


def _file(run: Path, out: Path | None, name: str) -> Path:
    file = run / name if out is None else out
    if file.suffix.lower() not in SUFFIXES:
        raise CommandError(f"--out must end in {' or '.join(SUFFIXES)}, not be {str(file)!r}.")
    return file


def _write(file: Path, arrays: Mapping[str, Array], draw: Any) -> None:
    if file.suffix.lower() == ".npz":
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type] # its stub takes them for flags
        write(file, content.getvalue())
    else:
        write(file, png_of(draw()))
