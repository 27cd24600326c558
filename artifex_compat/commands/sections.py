"""The sections of a run's configuration: what the user may set, with checks and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from artifex_compat.data.outlines import OUTLINES
from artifex_compat.evaluation.disentanglement import METRICS
from artifex_compat.generative_models.core.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS
from artifex_compat.generative_models.core.configuration.checks import (
    Check,
    checked,
    count,
    flag,
    non_negative,
    one_of,
    optional,
    positive,
    probability,
    some_sizes,
    strings,
    text,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.core.configuration.model_config import (
    ARCHITECTURES,
    MODEL_TYPES,
)
from artifex_compat.generative_models.core.configuration.vae_config import CONDITION_TYPES
from artifex_compat.generative_models.training.trainers.vae_trainer import (
    KL_ANNEALING,
    RECONSTRUCTION_ERRORS,
    VAETrainingConfig,
)
from edifice_py.checks import choice, integer, positive_int

SOURCES = ("digits", "sprites", "npz", "idx", "folder")
CAPACITY, CONDITIONAL, VQ = "beta_vae_with_capacity", "conditional_vae", "vqvae"
_WEIGHED = tuple(kind for kind in MODEL_TYPES if kind not in (CAPACITY, VQ))
_MOST_SEED = 2**32 - 1


def _only(check: Check, *kinds: str) -> Mapping[str, Any]:
    """The metadata of a field that has a part in some kinds of data or models only."""
    return {**checked(check), "only": kinds}


def _several(allowed: Any) -> Check:
    return lambda name, value: tuple(choice(name, one, allowed) for one in strings(name, value))


def _seed(name: str, value: object) -> int:
    number = integer(value)
    if number is None or not 0 <= number <= _MOST_SEED:
        raise ValueError(f"{name} must be an integer from 0 to {_MOST_SEED}, not {value!r}.")
    return number


def _two_sizes(name: str, value: object) -> tuple[int, ...]:
    found = some_sizes(name, value)
    if len(found) != 2:
        raise ValueError(f"{name} must be [height, width], not {value!r}.")
    return found


@dataclass(frozen=True, kw_only=True)
class Section(Config):
    """A part of a run's configuration, some of whose fields count for one kind of run only."""

    def kept(self, kind: str) -> dict[str, Any]:
        """Names and values of the fields that count for a kind.

        Args:
            kind: of data or of model.

        Raises:
            ValueError: another field was set.
        """
        found = {}
        for item in fields(self):
            value, kinds = getattr(self, item.name), item.metadata.get("only", (kind,))
            if kind in kinds:
                found[item.name] = value
            elif value != item.default:
                raise ValueError(
                    f"{item.name} has no part in {kind}, only in {', '.join(kinds)}: leave it out."
                )
        return found


@dataclass(frozen=True, kw_only=True)
class DataSection(Section):
    """What a model is trained on.

    Attributes:
        source: "digits", "sprites", or the user's own "npz", "idx" or "folder" of pictures.
        examples: how many to take, at random; all where not given.
        held_out: the share of them that validates and evaluates, above 0 and below 1.
        seed: names the choice of examples and of those that are held out.
        size, shapes, scales, orientations, positions: of sprites, see `data.Sprites`.
        file: of the user's own data, the file or the folder.
        labels: of "idx", the file of labels.
        images, factors: of "npz", the names of the arrays, see `data.read_npz`.
        image_size: of a "folder", `[height, width]` to bring all pictures to.
        channels: of a "folder", 1 for grey or 3 for colour; colour if there is any where not given.
    """

    source: str = field(default="digits", metadata=checked(one_of(SOURCES)))
    examples: int | None = field(default=None, metadata=checked(optional(positive_int)))
    held_out: float = field(default=0.2, metadata=checked(probability))
    seed: int = field(default=0, metadata=checked(_seed))
    size: int = field(default=32, metadata=_only(positive_int, "sprites"))
    shapes: tuple[str, ...] = field(
        default=tuple(OUTLINES), metadata=_only(_several(OUTLINES), "sprites")
    )
    scales: int = field(default=6, metadata=_only(positive_int, "sprites"))
    orientations: int = field(default=40, metadata=_only(positive_int, "sprites"))
    positions: int = field(default=32, metadata=_only(positive_int, "sprites"))
    file: str | None = field(default=None, metadata=_only(optional(text), "npz", "idx", "folder"))
    labels: str | None = field(default=None, metadata=_only(optional(text), "idx"))
    images: str | None = field(default=None, metadata=_only(optional(text), "npz"))
    factors: str | None = field(default=None, metadata=_only(optional(text), "npz"))
    image_size: tuple[int, ...] | None = field(
        default=None, metadata=_only(optional(_two_sizes), "folder")
    )
    channels: int | None = field(default=None, metadata=_only(optional(positive_int), "folder"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source in ("npz", "idx", "folder") and self.file is None:
            raise ValueError(f"file must be given for source {self.source!r}.")


@dataclass(frozen=True, kw_only=True)
class ModelSection(Section):
    """What is trained.

    Attributes:
        type: a type of `ModelConfiguration`.
        architecture: "mlp", "cnn" or "resnet".
        latent_dim: width of a latent vector.
        hidden_dims: widths of the encoder's layers, or channels, in the order in which they run.
        decoder_hidden_dims: the same of the decoder; the encoder's in reverse where not given.
        activation: after each of them.
        output_activation: after the decoder's last layer.
        input_shape: shape of one example; that of the data where not given.
        capacity_max, capacity_num_iter, gamma: see `BetaVAEWithCapacityConfig`.
        condition: the factor that is the condition, by its name; the first where not given.
        num_classes: how many values it has; those of the data where not given.
        condition_type, embed_dim: see `ConditionalVAEConfig`.
        num_embeddings, embedding_dim, commitment_cost, use_ema, ema_decay, dead_code_threshold,
            kmeans_init: see `VQVAEConfig`; `embedding_dim` is `latent_dim` where not given.
    """

    type: str = field(default="beta_vae", metadata=checked(one_of(MODEL_TYPES)))
    architecture: str = field(default="mlp", metadata=checked(one_of(ARCHITECTURES)))
    latent_dim: int = field(default=10, metadata=checked(positive_int))
    hidden_dims: tuple[int, ...] = field(default=(256, 128), metadata=checked(some_sizes))
    decoder_hidden_dims: tuple[int, ...] | None = field(
        default=None, metadata=checked(optional(some_sizes))
    )
    activation: str = field(default="relu", metadata=checked(one_of(ACTIVATIONS)))
    output_activation: str = field(default="sigmoid", metadata=checked(one_of(OUTPUT_ACTIVATIONS)))
    input_shape: tuple[int, ...] | None = field(
        default=None, metadata=checked(optional(some_sizes))
    )
    capacity_max: float = field(default=25.0, metadata=_only(positive, CAPACITY))
    capacity_num_iter: int = field(default=25000, metadata=_only(positive_int, CAPACITY))
    gamma: float = field(default=1000.0, metadata=_only(positive, CAPACITY))
    condition: str | None = field(default=None, metadata=_only(optional(text), CONDITIONAL))
    num_classes: int | None = field(
        default=None, metadata=_only(optional(positive_int), CONDITIONAL)
    )
    condition_type: str = field(
        default="concat", metadata=_only(one_of(CONDITION_TYPES), CONDITIONAL)
    )
    embed_dim: int | None = field(default=None, metadata=_only(optional(positive_int), CONDITIONAL))
    num_embeddings: int = field(default=64, metadata=_only(positive_int, VQ))
    embedding_dim: int | None = field(default=None, metadata=_only(optional(positive_int), VQ))
    commitment_cost: float = field(default=0.25, metadata=_only(non_negative, VQ))
    use_ema: bool = field(default=False, metadata=_only(flag, VQ))
    ema_decay: float = field(default=0.99, metadata=_only(probability, VQ))
    dead_code_threshold: float = field(default=0.0, metadata=_only(non_negative, VQ))
    kmeans_init: bool = field(default=False, metadata=_only(flag, VQ))


@dataclass(frozen=True, kw_only=True)
class TrainingSection(VAETrainingConfig, Section):
    """How it is trained.

    The fields of `VAETrainingConfig` have no part in a model that holds its KL to a capacity, nor
    in a VQ-VAE.

    Attributes:
        epochs: how many.
        batch_size: examples in a batch.
        learning_rate: of Adam.
        loss_type: "bce", "mse" or "mae".
        seed: of the weights, the noise and the order of the examples.
        checkpoint_every: epochs from one checkpoint to the next; a tenth of all where not given.
    """

    epochs: int = field(default=80, metadata=checked(positive_int))
    batch_size: int = field(default=64, metadata=checked(positive_int))
    learning_rate: float = field(default=2e-3, metadata=checked(positive))
    loss_type: str = field(default="bce", metadata=checked(one_of(RECONSTRUCTION_ERRORS)))
    seed: int = field(default=0, metadata=checked(_seed))
    checkpoint_every: int | None = field(default=None, metadata=checked(optional(positive_int)))
    beta: float = field(default=0.3, metadata=_only(non_negative, *_WEIGHED))
    kl_annealing: str = field(default="linear", metadata=_only(one_of(KL_ANNEALING), *_WEIGHED))
    kl_warmup_steps: int = field(default=300, metadata=_only(count, *_WEIGHED))
    free_bits: float = field(default=0.0, metadata=_only(non_negative, *_WEIGHED))
    cyclical_period: int = field(default=10000, metadata=_only(positive_int, *_WEIGHED))


@dataclass(frozen=True, kw_only=True)
class EvaluationSection(Section):
    """How it is evaluated, on what was held out.

    Attributes:
        examples: how many metrics of disentanglement take, at most.
        metrics: which of them; all that the factors allow where not given.
        log_likelihood_samples: of the importance-weighted estimate; 0 for none.
        log_likelihood_examples: how many examples it takes, the first ones.
        figures: whether to draw.
        seed: of all draws.
    """

    examples: int = field(default=10_000, metadata=checked(positive_int))
    metrics: tuple[str, ...] | None = field(
        default=None, metadata=checked(optional(_several(METRICS)))
    )
    log_likelihood_samples: int = field(default=100, metadata=checked(count))
    log_likelihood_examples: int = field(default=500, metadata=checked(positive_int))
    figures: bool = field(default=True, metadata=checked(flag))
    seed: int = field(default=0, metadata=checked(_seed))


@dataclass(frozen=True, kw_only=True)
class LoggingSection(Section):
    """Who else hears of the run, beside its folder.

    Attributes:
        tensorboard: write events for TensorBoard into the run's folder.
        wandb: send the metrics to Weights & Biases.
        project: what it is called there.
    """

    tensorboard: bool = field(default=False, metadata=checked(flag))
    wandb: bool = field(default=False, metadata=checked(flag))
    project: str = field(default="edifice-py", metadata=checked(text))
