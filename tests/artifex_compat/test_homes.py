"""Every documented name is at its documented home, and imports bring only what they need."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

VAE = "generative_models.models.vae"
CONFIGURATION = "generative_models.core.configuration"
HOMES = {
    VAE: (
        "VAE BetaVAE BetaVAEWithCapacity ConditionalVAE VQVAE MLPEncoder CNNEncoder ResNetEncoder "
        "MLPDecoder CNNDecoder ResNetDecoder ConditionalEncoder ConditionalDecoder create_encoder "
        "create_decoder create_encoder_unified create_decoder_unified create_vae_model"
    ),
    f"{VAE}.base": "VAE",
    f"{VAE}.beta_vae": "BetaVAE BetaVAEWithCapacity",
    f"{VAE}.conditional": "ConditionalVAE",
    f"{VAE}.vq_vae": "VQVAE",
    f"{VAE}.encoders": (
        "MLPEncoder CNNEncoder ResNetEncoder ConditionalEncoder create_encoder "
        "create_encoder_unified"
    ),
    f"{VAE}.decoders": (
        "MLPDecoder CNNDecoder ResNetDecoder ConditionalDecoder create_decoder "
        "create_decoder_unified"
    ),
    f"{VAE}.spatial_autoencoder": "SpatialEncoder SpatialDecoder",
    CONFIGURATION: (
        "BetaVAEConfig BetaVAEWithCapacityConfig ConditionalVAEConfig DecoderConfig EncoderConfig "
        "ModelConfiguration VAEConfig VQVAEConfig"
    ),
    f"{CONFIGURATION}.vae_config": (
        "BetaVAEConfig BetaVAEWithCapacityConfig ConditionalVAEConfig VAEConfig VQVAEConfig"
    ),
    f"{CONFIGURATION}.network_configs": "EncoderConfig DecoderConfig",
    "generative_models.core.base": "GenerativeModel MLP CNN",
    "generative_models.modalities.image": "ImageModalityConfig",
    "generative_models.factory.builders.vae": "VAEBuilder",
}
REPORT = """
import json, sys
import jax
before = dict(jax.config.values)
import artifex_compat.generative_models.models.vae
changed = [name for name, value in jax.config.values.items() if before.get(name) != value]
from jax._src import xla_bridge
print(json.dumps({"modules": list(sys.modules), "changed": changed,
                  "started": bool(xla_bridge._backends)}))
"""


@pytest.mark.parametrize("home", HOMES)
def test_documented_names_are_at_home(home):
    module = import_module(f"artifex_compat.{home}")
    assert [name for name in HOMES[home].split() if not hasattr(module, name)] == []


def test_an_import_changes_nothing_of_jax_and_needs_no_more_than_flax():
    run = [sys.executable, "-c", REPORT]
    found = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert found["changed"] == []
    assert not found["started"]
    roots = {name.partition(".")[0] for name in found["modules"]}
    assert {"golden", "matplotlib", "sklearn", "scipy", "orbax"}.isdisjoint(roots)
