"""The configuration: a file, settings over it, and what is refused."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from artifex_compat.commands.configuration import SOURCES, RunConfig, build_config, change_config
from artifex_compat.commands.errors import CommandError
from artifex_compat.commands.run import build
from artifex_compat.generative_models.core.configuration import VAEConfig
from artifex_compat.generative_models.models.vae.factory import MODELS

SET_BY_COMMANDS = {
    *(item.name for item in fields(VAEConfig)),
    *("beta_default", "beta_warmup_steps", "reconstruction_loss_type"),
    *("use_capacity_control", "condition_dim"),
}
PAGE = Path(__file__).parents[3] / "docs" / "command_line.md"


def test_the_configuration_of_the_page_is_one(tmp_path):
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "a.yaml"
    file.write_text(example)
    config = build_config(file, [])
    assert (config.model.hidden_dims, config.training.learning_rate) == ((32, 64), 1e-3)


def test_no_option_is_a_beta_vae_on_digits():
    config = build_config(None, [])
    assert (config.name, config.data.source, config.model.type) == (
        "digits-beta_vae",
        "digits",
        "beta_vae",
    )


def test_settings_are_over_the_file_and_the_last_one_counts(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("training: {beta: 2, epochs: 7}\ndata: {source: sprites}\n")
    config = build_config(file, ["training.beta=4", "training.beta=1e-3", "name=mine"])
    assert (config.training.beta, config.training.epochs) == (1e-3, 7)
    assert (config.data.source, config.name) == ("sprites", "mine")


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_written_is_read_again(tmp_path, source, kind):
    file = tmp_path / "a.yaml"
    given = [f"data.source={source}", f"model.type={kind}"]
    given += ["data.file=x"] if source in ("npz", "idx", "folder") else []
    config = build_config(None, given)
    config.to_yaml(file)
    assert build_config(file, []) == config
    assert RunConfig.from_dict(yaml.safe_load(file.read_text())) == config
    assert change_config(config, ["data.seed=3"]).data.seed == 3


def test_what_has_no_part_in_a_run_is_not_written():
    found = build_config(None, ["model.type=vqvae"]).to_dict()
    assert "beta" not in found["training"]
    assert "size" not in found["data"]
    assert "num_embeddings" in found["model"]


def test_a_file_of_data_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = build_config(None, ["data.source=npz", "data.file=a.npz"])
    assert config.data.file == str(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("training.bta=4", "'bta'.*did you mean 'beta'"),
        ("trainin.beta=4", "section must be one of.*did you mean 'training'"),
        ("beta=4", "a name without a section must be one of name"),
        ("training.beta", "section.name=value, like training.beta=4"),
        ("training.beta=four", "training: beta must be a non-negative number, not 'four'"),
        ("training.beta=[", "is not closed|expected the node"),
        ("training.epochs=1.5", "epochs must be a positive integer"),
        ("training.seed=-1", "seed must be an integer from 0 to 4294967295"),
        ("model.type=beta_vea", "did you mean 'beta_vae'"),
        ("model.gamma=5", "gamma has no part in beta_vae, only in beta_vae_with_capacity"),
        ("data.size=32", None),
        ("data.size=16", "size has no part in digits, only in sprites"),
        ("data.source=npz", "file must be given for source 'npz'"),
        ("data.image_size=[8]", "image_size"),
        ("evaluation.metrics=[mgi]", "did you mean 'mig'"),
        ("evaluation.figures=1", "figures must be True or False"),
        ("name=''", "name must be a string"),
        ('name="a\\nb"', "name must be at most 100 letters"),
    ],
)
def test_a_setting_is_refused_in_one_sentence(setting, words):
    if words is None:
        build_config(None, [setting])
        return
    with pytest.raises(CommandError, match=words) as caught:
        build_config(None, [setting])
    assert caught.value.code == 2


def own_options(kind):
    """The options that a kind of model adds to those of its base."""
    config_class = MODELS[kind].config_class
    declared = {item.name for item in fields(config_class)}
    for base in config_class.__bases__:
        declared -= {item.name for item in fields(base)}
    return sorted(declared - SET_BY_COMMANDS)


@pytest.mark.parametrize(
    ("kind", "option"), [(kind, option) for kind in MODELS for option in own_options(kind)]
)
def test_an_option_of_a_model_is_checked_as_its_configuration_says(kind, option):
    with pytest.raises(ValueError, match=option) as expected:
        MODELS[kind].config_class(name="a", **{option: [-1]})
    with pytest.raises(CommandError) as caught:
        build_config(None, [f"model.type={kind}", f"model.{option}=[-1]"])
    assert str(caught.value) == f"model: {expected.value}"


@pytest.mark.parametrize("kind", MODELS)
def test_an_option_of_a_model_reaches_its_configuration(kind):
    config = build_config(None, [f"model.type={kind}", "model.input_shape=[4]"])
    model, _ = build(config)
    options = config.model.options
    assert options.keys() <= set(own_options(kind))
    assert {name: getattr(model, name) for name in options} == options


def test_capacity_and_codes_have_no_absolute_error():
    with pytest.raises(CommandError, match="loss_type must be one of mse, bce for a vqvae"):
        build_config(None, ["model.type=vqvae", "training.loss_type=mae"])


def test_a_broken_file_is_refused(tmp_path):
    for content in (b"\xff\xfe\x00", b"a: [", b"- 1", b"data: 3", b"[" * 1000, b"dat: {}"):
        file = tmp_path / "a.yaml"
        file.write_bytes(content)
        with pytest.raises(CommandError) as caught:
            build_config(file, [])
        assert "\n" not in str(caught.value)
    with pytest.raises(CommandError, match="no such file"):
        build_config(tmp_path / "b.yaml", [])


NAMES = st.sampled_from(
    [f"{name}.{item}" for name in ("data", "training", "model") for item in ("seed", "beta", "x")]
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["!!int a", "!!bool x", "!!timestamp a", "&a [*a]", "1:99", "=", "<<: 3", "~"]),
)


@given(st.one_of(st.text(max_size=20), st.builds("{}={}".format, NAMES, VALUES)))
def test_any_setting_is_taken_or_refused_in_one_sentence(setting):
    assert len(told(setting).splitlines()) == 1


def told(setting):
    """What is said of a setting, "taken" where it is."""
    try:
        build_config(None, [setting])
    except CommandError as error:
        return str(error)
    return "taken"
