"""The NNX API, `artifex_compat`, as an implementation: it answers what Artifex was asked."""

from collections.abc import Callable, Mapping
from typing import Any

import flax
import jax
import numpy as np

from golden.adapters import (
    Implementation,
    UnsupportedError,
    artifex_conventions,
    artifex_losses,
    artifex_models,
    edifice_trainer,
)
from golden.adapters import artifex_training as training
from golden.adapters.artifex_build import Api, api_of
from golden.adapters.products import as_asked, products, told
from golden.arrays import Array
from golden.case import Case

Inputs = Mapping[str, Any]

_Answer = Callable[[Api, Case, Inputs], Mapping[str, Any]]
_GROUPS: dict[str, _Answer] = {
    "vae_loss_fn": artifex_losses.posterior_loss,
    "beta_vae_loss_fn": artifex_losses.posterior_loss,
    "capacity_loss_fn": artifex_losses.posterior_loss,
    "vqvae_loss_fn": artifex_losses.codebook_loss,
    "vq_quantize": artifex_losses.quantize,
    "reparameterize": artifex_models.reparameterize,
    "components": artifex_models.component,
    "models": artifex_models.model,
    "kl_weight": training.kl_weight,
    "free_bits": training.free_bits,
    "kl_loss": training.kl_loss,
    "recon_loss": training.reconstruction_loss,
    "compute_loss_stub": training.whole_loss,
    "training": training.run,
}
_OF_EDIFICE: dict[str, _Answer] = {"train": edifice_trainer.answer}


def make() -> Implementation:
    """The implementation."""
    versions = {
        "flax": flax.__version__,
        "jax": jax.__version__,
        "platform": jax.devices()[0].platform,
        **told(),
    }
    return Implementation("artifex_compat", answer, versions, products=products())


def answer(case: Case, package: str = "artifex_compat") -> Mapping[str, Array]:
    """What a package of Artifex's API gives for a case of it, or a question of convention."""
    answer_group = _answer_of(case.function, package)
    if answer_group is None:
        raise UnsupportedError(case.function)
    with as_asked():
        inputs = {
            name: array if array.dtype == np.float64 else jax.device_put(array)
            for name, array in case.inputs.items()
        }
        found = answer_group(api_of(package), case, inputs)
        return {name: np.asarray(value) for name, value in found.items()}


def _answer_of(function: str, package: str) -> _Answer | None:
    system, _, group = function.partition(".")
    if system == "convention":
        return artifex_conventions.answer
    if system in ("artifex", "avitai-artifex"):
        return _GROUPS.get(group)
    return _OF_EDIFICE.get(function) if package == "artifex_compat" else None
