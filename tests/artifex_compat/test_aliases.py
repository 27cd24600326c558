"""`artifex` and `workshop` are other names of the same modules, in programs and under pytest."""

import os
import subprocess
import sys

import pytest

SAME = """
import sys, warnings
warnings.simplefilter("error")
import importlib
import artifex_compat.aliases
assert "jax" not in sys.modules, "the aliases themselves must cost nothing"
import workshop.generative_models.core.configuration.network_configs as deep
from artifex.generative_models.models.vae import VAE
import artifex, artifex_compat, workshop
from workshop.generative_models.models.vae.base import VAE as by_other_name
from artifex_compat.generative_models.models.vae import VAE as own
assert artifex is workshop is artifex_compat
assert VAE is by_other_name is own
assert artifex.generative_models.models.vae is sys.modules["artifex_compat.generative_models.models.vae"]
assert deep.__name__ == deep.__spec__.name == "artifex_compat.generative_models.core.configuration.network_configs"
assert artifex_compat.__spec__.name == artifex_compat.__name__ == "artifex_compat"
assert importlib.import_module("artifex.generative_models") is artifex_compat.generative_models
from unittest.mock import patch
with patch("artifex.generative_models.models.vae.VAE", 3):
    assert artifex_compat.generative_models.models.vae.VAE == 3
import pickle
assert pickle.loads(pickle.dumps(VAE)) is VAE
try:
    import artifex.generative_models.models.gan
except ModuleNotFoundError as error:
    assert error.name == "artifex.generative_models.models.gan" and "artifex_compat has no" in str(error)
else:
    raise SystemExit("a module that is not there was found")
print("same")
"""  # noqa: E501


def python(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_three_names_are_one_module(tmp_path):
    (tmp_path / "workshop").mkdir()  # a mere folder is no installation
    run = python("-c", SAME, cwd=tmp_path)
    assert (run.stdout, run.stderr) == ("same\n", "")


@pytest.mark.parametrize("name", ["artifex", "workshop"])
def test_a_real_installation_is_refused_unless_overridden(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("real = True")
    code = f"import artifex_compat.aliases, {name}; print({name}.__name__)"
    run = python("-c", code, cwd=tmp_path)
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: a real '{name}' is installed at {tmp_path}")
    assert last.endswith("or set ARTIFEX_COMPAT_OVERRIDE=1 to have artifex_compat in its place.")
    overridden = python("-c", code, cwd=tmp_path, ARTIFEX_COMPAT_OVERRIDE="1")
    assert overridden.stdout == "artifex_compat\n"
    program = python("-m", "artifex_compat", f"{name}/__init__.py", cwd=tmp_path)
    assert program.returncode == 2
    assert "ARTIFEX_COMPAT_OVERRIDE" in program.stderr


def test_a_script_runs_as_python_would_run_it(tmp_path):
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "beside.py").write_text("word = 'beside'")
    (folder / "program.py").write_text(
        "import sys, beside, artifex\n"
        "if __name__ == '__main__':\n"
        "    print(artifex.__name__, beside.word, sys.argv)\n"
        "    raise SystemExit(7)\n"
    )
    run = python("-m", "artifex_compat", "programs/program.py", "-v", "--x=1", cwd=tmp_path)
    wanted = "artifex_compat beside ['programs/program.py', '-v', '--x=1']\n"
    assert (run.returncode, run.stdout) == (7, wanted)
    module = python("-m", "artifex_compat", "-m", "program", "-q", cwd=folder)
    assert module.returncode == 7
    assert module.stdout.endswith("'-q']\n")


def test_a_missing_script_is_one_sentence(tmp_path):
    run = python("-m", "artifex_compat", "nowhere.py", cwd=tmp_path)
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1].endswith("error: there is no file nowhere.py")


def test_pytest_takes_the_aliases_as_a_plugin(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from artifex.generative_models.core.configuration import VAEConfig\n"
        "from artifex_compat.generative_models.core.configuration import VAEConfig as own\n"
        "def test_it():\n    assert VAEConfig is own\n"
    )
    run = python("-m", "pytest", "-q", "-p", "artifex_compat.aliases", "test_it.py", cwd=tmp_path)
    assert run.returncode == 0, run.stdout
