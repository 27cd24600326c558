"""The public surface: a name that comes or goes changes this file too."""

import inspect
from importlib import import_module

import pytest

SURFACE = {
    "edifice_py": "random vae vqvae",
    "edifice_py.random": "fold_in key normal split uniform uniform_with",
    "edifice_py.threefry": "encipher words",
    "edifice_py.interchange": (
        "Architecture Atom InterchangeError fitted inspect load read recognised save"
    ),
    "edifice_py.generative.vae": (
        "build build_decoder build_encoder kl_divergence loss reparameterize"
    ),
    "edifice_py.generative.vqvae": (
        "build build_decoder build_encoder codebook_loss "
        "commitment_loss init_codebook loss quantize"
    ),
    "edifice_py.generative.codebook": "init_codebook quantize",
    "edifice_py.generative.networks": "decoder encoder",
    "edifice_py.axon": "Dense Model",
    "edifice_py.activations": "output_size",
    "edifice_py.core.reduce": (
        "element_mean feature_sum_batch_mean latent_sum latent_sum_batch_mean"
    ),
    "edifice_py.core.gaussian": (
        "clip_log_var free_bits kl_divergence kl_per_dimension kl_per_sample log_density "
        "reparameterize"
    ),
    "edifice_py.core.reconstruction": (
        "absolute_error bernoulli_from_logits bernoulli_from_probabilities bernoulli_with_offset "
        "squared_error"
    ),
    "edifice_py.core.objective": (
        "beta_objective capacity_objective negative_elbo vector_quantization_objective"
    ),
    "edifice_py.core.special": "erf_inv expm1_minus_x",
    "edifice_py.core.arguments": "Argument Arguments native nearest options owned",
    "edifice_py.core.formula": "formula",
    "edifice_py.core.schedules": "capacity constant cyclical linear sigmoid",
    "edifice_py.core.quantize": (
        "MovingCodebook codebook_loss commitment_loss counts ema_update kmeans nearest_code "
        "perplexity replace_dead_codes squared_distances straight_through"
    ),
    "edifice_py.core.convolution": "convolution transposed_convolution",
    "artifex_compat.evaluation": (
        "HealthReport Score active_units beta_vae_score codebook_usage collapsed_dimensions "
        "dci elbo evaluate_disentanglement factor_vae_score health_report "
        "importance_weighted_log_likelihood kl_per_dimension latent_interpolations "
        "latent_traversals mig model_elbo model_log_likelihood model_reconstruction_mse "
        "modularity reconstruction_mse sap"
    ),
    "artifex_compat.pictures": (
        "codebook_bars interpolation_strips kl_bars latent_scatter loss_curves reconstruction_grid "
        "sample_grid traversal_grid visualize_latent_traversals"
    ),
}
SIGNATURES = {
    "key": "(seed)",
    "split": "(key, parts=2)",
    "fold_in": "(key, data)",
    "uniform": "(key, shape=(), dtype=float32, minval=0.0, maxval=1.0)",
    "normal": "(key, shape=(), dtype=float32, mean=0.0, standard_deviation=1.0)",
    "reparameterize": "(mu, log_var, key)",
    "kl_divergence": "(mu, log_var)",
    "loss": "(reconstruction, target, mu, log_var, *, beta=1.0)",
    "build": (
        "(*, input_size=None, latent_size=32, encoder_sizes=(256, 128), "
        "decoder_sizes=(128, 256), activation='relu')"
    ),
}


def public(module):
    """Names of functions and classes that a module defines, or of modules that it exports."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and getattr(value, "__module__", None) == module.__name__
    )


@pytest.mark.parametrize("name", SURFACE)
def test_surface(name):
    assert public(import_module(name)) == SURFACE[name].split()


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_the_documented_ones(name):
    from edifice_py import random
    from edifice_py.generative import vae

    function = getattr(vae, name, None) or getattr(random, name)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
    ]
    text = str(inspect.Signature(plain)).replace("<class 'jax.numpy.float32'>", "float32")
    assert text == SIGNATURES[name]
