"""Configurations: what they refuse, and how they travel."""

import dataclasses

import pytest

from artifex_compat.generative_models.core.configuration import (
    BetaVAEConfig,
    BetaVAEWithCapacityConfig,
    ConditionalVAEConfig,
    EncoderConfig,
    ModelConfiguration,
    VAEConfig,
    VQVAEConfig,
)
from artifex_compat.generative_models.core.configuration.config import Config
from artifex_compat.generative_models.modalities.image import ImageModalityConfig
from artifex_compat.generative_models.models.vae import VQVAE, BetaVAE, BetaVAEWithCapacity
from artifex_compat.generative_models.training import VAETrainingConfig
from artifex_compat.generative_models.training.callbacks import (
    CheckpointConfig,
    EarlyStoppingConfig,
)
from tests.artifex_compat.make import MODELS, OF_VQ, by_parts, decoder_config, encoder_config

NETWORKS = {"name": "m", "encoder": encoder_config(), "decoder": decoder_config()}
EVERY = [
    encoder_config(tags=["a"], metadata={"note": [1, 2]}),
    decoder_config(output_activation="tanh"),
    *(kind(**NETWORKS, **(OF_VQ if model is VQVAE else {})) for model, kind in MODELS.items()),
    ImageModalityConfig(representation="GRAYSCALE", height=4),
    ModelConfiguration(latent_dim=3, parameters={"beta": 2.0, "encoder_features": [4, 2]}),
]


@pytest.mark.parametrize("config", EVERY, ids=lambda config: type(config).__name__)
def test_dictionaries_and_yaml_give_it_back(config, tmp_path):
    assert type(config).from_dict(config.to_dict()) == config
    config.to_yaml(tmp_path / "config.yaml")
    assert type(config).from_yaml(tmp_path / "config.yaml") == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.latent_dim = 9


def test_lists_become_tuples():
    config = EncoderConfig.from_dict(
        {
            "name": "e",
            "hidden_dims": [4, 3],
            "activation": "gelu",
            "input_shape": [6],
            "latent_dim": 2,
        }
    )
    assert (config.hidden_dims, config.input_shape) == ((4, 3), (6,))
    assert (config.use_batch_norm, config.batch_norm, config.dropout_rate) == (True, False, 0.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "name must be a string that is not empty"),
        ({"hidden_dims": ()}, "hidden_dims must be a list of at least one positive integer"),
        ({"hidden_dims": (4, 0)}, "hidden_dims must be a list of positive integers"),
        ({"hidden_dims": 4}, "hidden_dims must be a list"),
        ({"latent_dim": 0}, "latent_dim must be a positive integer, not 0"),
        ({"latent_dim": 2.5}, "latent_dim must be a positive integer, not 2.5"),
        ({"input_shape": (0,)}, "input_shape must be a list of positive integers"),
        ({"activation": "rely"}, "did you mean 'relu'"),
        ({"activation": "identity"}, "activation must be one of"),
        ({"dropout_rate": 1.5}, "dropout_rate must be a number from 0 to 1, not 1.5"),
        ({"dropout_rate": float("nan")}, "dropout_rate must be a number from 0 to 1"),
        ({"use_batch_norm": "yes"}, "use_batch_norm must be True or False"),
        ({"tags": "a"}, "tags must be a list of strings"),
        ({"metadata": [1]}, "metadata must be a mapping"),
    ],
)
def test_what_an_encoder_config_refuses(change, words):
    with pytest.raises(ValueError, match=words):
        encoder_config(**change)


@pytest.mark.parametrize(
    ("kind", "change", "error", "words"),
    [
        (VAEConfig, {"encoder": None}, ValueError, "encoder is required"),
        (VAEConfig, {"decoder": None}, ValueError, "decoder is required"),
        (VAEConfig, {"encoder": decoder_config()}, TypeError, "EncoderConfig, not a Decoder"),
        (VAEConfig, {"decoder": {}}, TypeError, "decoder must be an DecoderConfig|DecoderConfig"),
        (VAEConfig, {"decoder": decoder_config(latent_dim=3)}, ValueError, "latent_dim, 4, not 3"),
        (VAEConfig, {"encoder_type": "den"}, ValueError, "did you mean 'dense'"),
        (VAEConfig, {"kl_weight": -1.0}, ValueError, "kl_weight"),
        (BetaVAEWithCapacityConfig, {"beta_default": 0.0}, ValueError, "beta_default"),
        (BetaVAEWithCapacityConfig, {"beta_warmup_steps": -1}, ValueError, "beta_warmup_steps"),
        (
            BetaVAEWithCapacityConfig,
            {"reconstruction_loss_type": "mae"},
            ValueError,
            "reconstruction_loss_type must be one of bce, mse",
        ),
        (BetaVAEWithCapacityConfig, {"capacity_num_iter": 0}, ValueError, "capacity_num_iter"),
        (BetaVAEWithCapacityConfig, {"capacity_max": -1.0}, ValueError, "capacity_max"),
        (BetaVAEWithCapacityConfig, {"gamma": float("inf")}, ValueError, "gamma"),
        (ConditionalVAEConfig, {"condition_type": "film"}, ValueError, "condition_type"),
        (ConditionalVAEConfig, {"num_classes": 0}, ValueError, "num_classes"),
        (VQVAEConfig, {"num_embeddings": 0}, ValueError, "num_embeddings"),
        (VQVAEConfig, {"embedding_dim": 0}, ValueError, "embedding_dim"),
        (VQVAEConfig, {"ema_decay": 1.5}, ValueError, "ema_decay"),
    ],
)
def test_what_a_model_config_refuses(kind, change, error, words):
    with pytest.raises(error, match=words):
        kind(**{**NETWORKS, **change})


def test_the_widths_of_a_condition():
    def sizes(**given):
        config = ConditionalVAEConfig(**NETWORKS, **given)
        return config.num_classes, config.condition_dim

    assert sizes() == (10, 10)
    assert sizes(num_classes=4) == (4, 4)
    assert sizes(condition_dim=6) == (6, 6)
    assert sizes(num_classes=4, condition_dim=6) == (4, 6)


def test_an_unknown_field_is_refused_with_the_nearest():
    with pytest.raises(TypeError, match="did you mean 'kl_weight'"):
        VAEConfig.from_dict({"name": "m", "kl_weigt": 1.0})


def test_a_file_that_is_not_yaml_is_refused(tmp_path):
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ValueError, match="is not YAML"):
        VAEConfig.from_yaml(tmp_path / "broken.yaml")


def test_images_have_the_channels_of_their_representation():
    assert ImageModalityConfig().shape == (64, 64, 3)
    assert ImageModalityConfig(representation="GRAYSCALE", height=5, width=4).shape == (5, 4, 1)
    with pytest.raises(ValueError, match="channels must be 3 for RGB, not 1"):
        ImageModalityConfig(channels=1)


def test_a_shape_and_images_that_disagree_are_refused():
    with pytest.raises(ValueError, match="input_shape must be the modality's"):
        ModelConfiguration(modality_config=ImageModalityConfig(), input_shape=(4,))
    with pytest.raises(TypeError, match="modality_config must be an ImageModalityConfig"):
        ModelConfiguration(modality_config={"height": 4})


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (VAETrainingConfig, "kl_warmup", "did you mean 'kl_warmup_steps'"),
        (EncoderConfig, "hiden_dims", "did you mean 'hidden_dims'"),
        (EncoderConfig, "hiden_sizes", "use_layer_norm\\.$"),
        (VAEConfig, "kl_weigt", "did you mean 'kl_weight'"),
        (CheckpointConfig, "dir_path", "did you mean 'dirpath'"),
        (EarlyStoppingConfig, "patiance", "did you mean 'patience'"),
        (ImageModalityConfig, "hight", "did you mean 'height'"),
        (ModelConfiguration, "model_kind", "did you mean 'model_type'|metadata|parameters"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_if_one_is_near(kind, name, words):
    with pytest.raises(TypeError, match=f"{kind.__name__} has no option '{name}'; .*{words}"):
        kind(**{name: 3})


def test_every_configuration_refuses_an_unknown_name():
    kinds, found = [Config], []
    while kinds:
        found += (below := kinds.pop().__subclasses__())
        kinds += below
    assert len(found) > 12
    for kind in found:
        with pytest.raises(
            TypeError, match=f"^{kind.__name__} has no option 'unheard_of'; it takes"
        ):
            kind(unheard_of=1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: BetaVAEConfig(**NETWORKS, kl_weight=2.0), "a beta-VAE, which has beta_default"),
        (lambda: by_parts(BetaVAE, kl_weight=2.0), "a beta-VAE, which has beta_default"),
        (
            lambda: by_parts(BetaVAEWithCapacity, kl_weight=0.0),
            "a beta-VAE, which has beta_default",
        ),
        (lambda: VQVAEConfig(**NETWORKS, **OF_VQ, kl_weight=0.5), "a VQ-VAE, whose loss has no KL"),
        (lambda: by_parts(VQVAE, kl_weight=0.5), "a VQ-VAE, whose loss has no KL"),
    ],
)
def test_a_weight_of_a_kl_that_is_not_in_the_loss_is_refused(make, words):
    with pytest.raises(ValueError, match=f"kl_weight must be 1.0 in {words}, not"):
        make()


def test_batch_norm_of_an_encoder_is_use_batch_norm():
    with pytest.raises(ValueError, match="batch_norm must be False in an EncoderConfig, which has"):
        encoder_config(batch_norm=True)
    assert encoder_config(batch_norm=False).use_batch_norm
