"""The pictures of a model: those of its report, and what `sample` and `traverse` write."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx

from artifex_compat import pictures
from artifex_compat.commands.configuration import VQ, RunConfig
from artifex_compat.commands.datasets import Batch, evaluation_batch, prepare
from artifex_compat.commands.errors import CommandError, command_errors, sentence
from artifex_compat.commands.run import History, RunFolder, load, write
from artifex_compat.data.files import Array
from artifex_compat.evaluation import HealthReport, latent_interpolations, latent_traversals
from artifex_compat.evaluation.batches import batches_of
from artifex_compat.evaluation.inference import posterior_of_data
from artifex_compat.evaluation.traversals import values_of
from artifex_compat.generative_models.models.vae import VAE
from artifex_compat.generative_models.models.vae.calling import (
    call_with,
    inference,
    labels_for,
)
from edifice_py.checks import positive_int

SUFFIXES = (".png", ".npz")
SAMPLES, PAIRS, STEPS = 50, 6, 10
MOST_TRAVERSED = 16
"""Latents that a figure of traversals shows, those of the largest KL."""
MOST_POINTS = 5000


class Picture(NamedTuple):
    """A figure of the report.

    Attributes:
        name: of its file.
        title: above it.
        caption: below it.
        alt: what it shows, for those who cannot see it.
        png: its bytes.
    """

    name: str
    title: str
    caption: str
    alt: str
    png: bytes


class _Plan(NamedTuple):
    """A figure that is not drawn yet."""

    name: str
    title: str
    caption: str
    alt: str
    draw: Callable[[], Any]


def png_of(figure: Any) -> bytes:
    """A figure of matplotlib as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def draw_pictures(
    model: VAE,
    batch: Batch,
    config: RunConfig,
    health: HealthReport,
    history: History,
    names: Sequence[str] | None = None,
) -> tuple[list[Picture], dict[str, str]]:
    """All pictures of a run that its data allow.

    Args:
        model: trained.
        batch: what it is evaluated on.
        config: of the run.
        health: of the model, from the same batch.
        history: rows of the training, none where there was none.
        names: of the values of the first factor, where they have any.

    Returns:
        The pictures, and what was left out with the reason.

    Raises:
        ImportError: matplotlib is not installed.
    """
    plans = [
        *_image_plans(model, batch, config, health),
        *_number_plans(model, batch, config, health, names),
    ]
    if history:
        last = history[-1]
        plan = _Plan(
            "loss_curves",
            "Training",
            "Means of each epoch. Dashed: the held-out examples.",
            f"Lines of the loss and its terms over {len(history)} epochs; in the end the loss is "
            f"{last['loss']:.4g} in training and {last['val_loss']:.4g} on held-out examples.",
            partial(pictures.loss_curves, history),
        )
        plans.append(plan)
    drawings, left_out = [], {}
    for plan in plans:
        try:
            png = png_of(plan.draw())
        except ValueError as error:  # data that are not images
            left_out[plan.name] = sentence(error)
        else:
            drawings.append(Picture(*plan[:4], png))
    return drawings, left_out


def draw_samples(model: VAE, count: int, seed: int, condition: Array | None = None) -> Array:
    """Samples of a model's prior, float32 `[count, ...]`; the model is not changed.

    Args:
        model: trained.
        count: how many.
        seed: of the noise.
        condition: labels `[count]` for a conditional model.
    """
    model = inference(model)
    labels = labels_for(model.sample, condition)
    return np.asarray(call_with(model.sample, count, rngs=nnx.Rngs(seed), **labels))


def cycle_labels(config: RunConfig, count: int) -> Array | None:
    """Each class of a conditional model in turn, int32 `[count]`; None for other models."""
    classes = config.model.options.get("num_classes")
    return None if classes is None else np.arange(count, dtype=np.int32) % classes


def posterior_means(model: VAE, batch: Batch) -> Array:
    """Posterior means `[n, latent]`."""
    mean, _ = posterior_of_data(model, batches_of(batch, 256, model))
    return mean.reshape(len(mean), -1)


def _image_plans(
    model: VAE, batch: Batch, config: RunConfig, health: HealthReport
) -> Iterator[_Plan]:
    x, condition, seed = batch["image"], batch.get("y"), config.evaluation.seed
    ten = {name: rows[:10] for name, rows in batch.items()}
    code = "code" if config.model.type == VQ else "posterior mean"
    yield _Plan(
        "reconstructions",
        "Reconstructions",
        f"Held-out examples above, and below what the model makes of their {code}s.",
        f"{len(ten['image'])} held-out images, each with its reconstruction below it.",
        lambda: pictures.reconstruction_grid(ten["image"], _reconstructed(model, ten)),
    )
    labels = cycle_labels(config, SAMPLES)
    drawn_from = "of codes, as training used them" if config.model.type == VQ else "from the prior"
    turn = "" if labels is None else " Classes come in turn, from left to right."
    yield _Plan(
        "samples",
        "Samples",
        f"Decoded draws {drawn_from}.{turn}",
        f"{SAMPLES} images that the model made up.",
        lambda: pictures.sample_grid(draw_samples(model, SAMPLES, seed, labels), columns=10),
    )
    if config.model.type != VQ:
        yield _traversals(model, ten, health)
    pairs = min(PAIRS, len(x) // 2)
    start, end = x[:pairs], x[pairs : 2 * pairs]
    labels_of_start = None if condition is None else condition[:pairs]
    yield _Plan(
        "interpolations",
        "Interpolations",
        "Each row goes from one held-out example to another, on a straight line between their "
        f"{code}s.",
        f"{pairs} rows of {STEPS} images, each row changing one image into another by steps.",
        lambda: pictures.interpolation_strips(
            latent_interpolations(model, start, end, STEPS, condition=labels_of_start)
        ),
    )


def _traversals(model: VAE, ten: Batch, health: HealthReport) -> _Plan:
    assert health.kl is not None  # noqa: S101 # only a VQ-VAE has none
    kl = np.asarray(health.kl.details["per_dimension"]).reshape(-1)
    dims = [int(dim) for dim in np.sort(np.argsort(-kl, kind="stable")[:MOST_TRAVERSED])]
    names = [f"z{dim}, {kl[dim]:.2f} nats" for dim in dims]
    values = np.linspace(-3, 3, 11)
    label = ten["y"][0] if "y" in ten else None

    def draw() -> Any:
        base = posterior_means(model, ten)[0]
        images = latent_traversals(model, base, dims=dims, values=values, condition=label)
        return pictures.traversal_grid(images, values, dims=dims, names=names)

    chosen = "" if len(dims) == len(kl) else f" The {len(dims)} latents with the largest KL."
    return _Plan(
        "traversals",
        "Traversals",
        "Each row moves one latent from -3 to 3, while the others stay where the first held-out "
        f"example puts them.{chosen} Beside it: its KL from the prior.",
        f"{len(dims)} rows of {len(values)} images, a row for each latent.",
        draw,
    )


def _number_plans(
    model: VAE,
    batch: Batch,
    config: RunConfig,
    health: HealthReport,
    names: Sequence[str] | None,
) -> Iterator[_Plan]:
    if health.kl is not None:
        latents = health.kl.details["per_dimension"]
        alt = f"Bars of the KL of {len(latents)} latents, {health.kl.value:.1f} nats in all."
        yield _Plan(
            "kl",
            "What each latent says",
            "KL of the posterior from the prior, by latent, in nats. A latent at 0 says nothing.",
            alt,
            partial(pictures.kl_bars, latents, collapsed=health.collapsed),
        )
    if health.codebook is not None:
        counts, used = health.codebook.details["counts"], health.codebook.value
        yield _Plan(
            "codebook",
            "Use of the codebook",
            "How often each code is the nearest one, over all held-out examples.",
            f"Bars of the use of {len(counts)} codes, with a perplexity of {used:.1f}.",
            partial(pictures.codebook_bars, counts),
        )
    if len(health.active_units.details["variances"]) < 2:
        return
    some = {name: rows[:MOST_POINTS] for name, rows in batch.items()}
    labels = some["labels"][:, 0] if "labels" in some else None
    means = "Outputs of the encoder" if config.model.type == VQ else "Posterior means"
    coloured = "" if labels is None else " Colours are the values of the first factor."
    yield _Plan(
        "latents",
        "Latent space",
        f"{means} at the two latents that vary most.{coloured}",
        f"A scatter plot of {len(some['image'])} held-out examples at two latents.",
        lambda: pictures.latent_scatter(posterior_means(model, some), labels, names=names),
    )


def _reconstructed(model: VAE, batch: Batch) -> Array:
    model = inference(model)
    labels = labels_for(model.reconstruct, batch.get("y"))
    x = jnp.asarray(batch["image"])
    return np.asarray(call_with(model.reconstruct, x, deterministic=True, **labels))


def sample(
    run: Path, count: int, seed: int, out: Path | None, step: int | str | None
) -> tuple[dict[str, Any], str]:
    """Decode draws from the prior into a file.

    Args:
        run: the folder of a run.
        count: how many; of a conditional model its classes come in turn.
        seed: of the draws.
        out: a .png of all, or a .npz with `images` and `labels`; samples.png where not given.
        step: that of the checkpoint, or "best"; None for the newest.

    Returns:
        Where they are, for JSON and as text.

    Raises:
        CommandError: it was refused.
    """
    file = _output_file(run, out, "samples.png")
    config, model, _ = load(RunFolder(run), step)
    with command_errors():
        labels = cycle_labels(config, positive_int("--count", count))
        images = draw_samples(model, count, seed, labels)
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
    """Decode while one latent after another moves, into a file.

    Args:
        run: the folder of a run.
        dims: which latents, from 0; all where not given.
        values: what each is set to; 11 from -3 to 3 where not given.
        index: of the held-out example that says where the others stay, from 0.
        out: a .png, or a .npz with `images` `[dims, values, ...]`, `dims` and `values`;
            traversals.png where not given.
        step: that of the checkpoint, or "best"; None for the newest.

    Returns:
        Where they are, for JSON and as text.

    Raises:
        CommandError: it was refused.
    """
    file = _output_file(run, out, "traversals.png")
    config, model, _ = load(RunFolder(run), step)
    with command_errors():
        batch = evaluation_batch(prepare(config).held_out, config)
        if not 0 <= index < len(batch["image"]):
            raise ValueError(
                f"--index must be from 0 to {len(batch['image']) - 1}, a held-out example, "
                f"not {index}."
            )
        one = {name: rows[index : index + 1] for name, rows in batch.items()}
        chosen = list(range(config.model.latent_dim)) if dims is None else list(dims)
        steps = values_of(values)
        means, condition = posterior_means(model, one), one.get("y")
        images = latent_traversals(model, means, dims=chosen, values=steps, condition=condition)
        arrays = {"images": images, "dims": np.asarray(chosen), "values": steps}
        _write(file, arrays, lambda: pictures.traversal_grid(images, steps, dims=chosen))
    facts = {"file": str(file), "dims": chosen, "values": steps.tolist(), "index": index}
    return facts, f"traversals of {len(chosen)} latents are in {file}"


def _output_file(run: Path, out: Path | None, name: str) -> Path:
    file = run / name if out is None else out
    if file.suffix.lower() not in SUFFIXES:
        raise CommandError(f"--out must end in {' or '.join(SUFFIXES)}, not be {str(file)!r}.")
    return file


def _write(file: Path, arrays: Mapping[str, Array], draw: Callable[[], Any]) -> None:
    if file.suffix.lower() == ".npz":
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type] # its stub takes them for flags
        write(file, content.getvalue())
    else:
        write(file, png_of(draw()))
