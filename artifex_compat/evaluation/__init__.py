"""What a model learned, as numbers: metrics of arrays, and of a trained model."""

from artifex_compat.evaluation.active_units_metric import active_units
from artifex_compat.evaluation.beta_vae_metric import beta_vae_score
from artifex_compat.evaluation.codebook import codebook_usage
from artifex_compat.evaluation.dci_metric import dci
from artifex_compat.evaluation.disentanglement import evaluate_disentanglement
from artifex_compat.evaluation.divergence import collapsed_dimensions, kl_per_dimension
from artifex_compat.evaluation.factor_vae_metric import factor_vae_score
from artifex_compat.evaluation.health import HealthReport, health_report
from artifex_compat.evaluation.importance_weighted import importance_weighted_log_likelihood
from artifex_compat.evaluation.lower_bound import elbo
from artifex_compat.evaluation.mig_metric import mig
from artifex_compat.evaluation.modularity_metric import modularity
from artifex_compat.evaluation.of_model import (
    model_elbo,
    model_log_likelihood,
    model_reconstruction_mse,
)
from artifex_compat.evaluation.reconstruction import reconstruction_mse
from artifex_compat.evaluation.sap_metric import sap
from artifex_compat.evaluation.score import Score
from artifex_compat.evaluation.traversals import latent_interpolations, latent_traversals

__all__ = [
    "HealthReport",
    "Score",
    "active_units",
    "beta_vae_score",
    "codebook_usage",
    "collapsed_dimensions",
    "dci",
    "elbo",
    "evaluate_disentanglement",
    "factor_vae_score",
    "health_report",
    "importance_weighted_log_likelihood",
    "kl_per_dimension",
    "latent_interpolations",
    "latent_traversals",
    "mig",
    "model_elbo",
    "model_log_likelihood",
    "model_reconstruction_mse",
    "modularity",
    "reconstruction_mse",
    "sap",
]
