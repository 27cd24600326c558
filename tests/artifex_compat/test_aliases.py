"""`artifex` and `workshop` are other names of the same modules, in programs and under pytest."""

import os
import subprocess
import sys

import pytest

SAME = """
import importlib, pickle, pkgutil, sys, threading, warnings
from unittest.mock import patch

warnings.simplefilter("error")
import workshop  # a mere folder
import artifex_compat.aliases

assert "jax" not in sys.modules, "the aliases themselves must cost nothing"

# The same module while threads race for it, under a name that is imported before its parents.
CONFIGS = "generative_models.core.configuration.network_configs"
found = []
names = 4 * [f"{root}.{CONFIGS}" for root in ("artifex", "workshop", "artifex_compat")]
threads = [
    threading.Thread(target=lambda n=name: found.append(importlib.import_module(n)))
    for name in names
]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == len(names) and len(set(map(id, found))) == 1
assert found[0].__name__ == found[0].__spec__.name == f"artifex_compat.{CONFIGS}"

import artifex, artifex_compat, workshop
assert artifex is workshop is artifex_compat
assert artifex.generative_models.core.configuration.network_configs is found[0]

from artifex.generative_models.models.vae import VAE
from workshop.generative_models.models.vae.base import VAE as of_workshop
from artifex_compat.generative_models.models.vae import VAE as own
assert VAE is of_workshop is own

# Every module there is, with nothing of its own changed.
for root in ("artifex_compat", "artifex", "workshop"):
    for listed in pkgutil.walk_packages(artifex.__path__, f"{root}."):
        rest = listed.name.partition(".")[2]
        if rest == "__main__":
            continue
        module = importlib.import_module(listed.name)
        assert module is sys.modules[f"artifex_compat.{rest}"], listed.name
        assert module.__name__ == module.__spec__.name == f"artifex_compat.{rest}"
        assert module.__package__ == module.__spec__.parent
        assert module.__loader__ is module.__spec__.loader
assert artifex.__spec__.name == artifex.__name__ == "artifex_compat"

vae = artifex.generative_models.models.vae
with patch("workshop.generative_models.models.vae.VAE", 3):
    assert vae.VAE == 3
assert pickle.loads(pickle.dumps(VAE)) is VAE
old_name = b"cartifex.generative_models.models.vae.base\\nVAE\\n."
assert pickle.loads(old_name) is VAE
again = importlib.reload(artifex.generative_models.core.random)
assert again is sys.modules["workshop.generative_models.core.random"]
importlib.reload(artifex_compat.aliases)
assert sum(type(finder).__module__ == "artifex_compat.aliases" for finder in sys.meta_path) == 1

try:
    import artifex.generative_models.models.gan
except ModuleNotFoundError as error:
    assert error.name == "artifex.generative_models.models.gan"
    words = "No module named 'artifex.generative_models.models.gan': artifex_compat has no "
    assert str(error).startswith(words)
else:
    raise SystemExit("a module that is not there was found")
print("same")
"""


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


@pytest.mark.parametrize(
    ("file", "name", "before"),
    [
        ("artifex/__init__.py", "artifex", ""),
        ("workshop.py", "workshop", ""),
        ("workshop.py", "workshop", "import workshop, "),
    ],
)
def test_a_real_module_is_refused_unless_overridden(tmp_path, file, name, before):
    place = tmp_path / file
    place.parent.mkdir(exist_ok=True)
    place.write_text("")
    code = f"{before or 'import '}artifex_compat.aliases; import {name}; print({name}.__name__)"
    run = python("-c", code, cwd=tmp_path)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        f"ImportError: a real '{name}' is installed at {place}: uninstall it, or set "
        "ARTIFEX_COMPAT_OVERRIDE=1 to have artifex_compat in its place."
    )
    overridden = python("-c", code, cwd=tmp_path, ARTIFEX_COMPAT_OVERRIDE="1")
    assert overridden.stdout == "artifex_compat\n"


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
    run = python("-m", "artifex_compat", "programs/program.py", "-m", "--x=1", cwd=tmp_path)
    wanted = "artifex_compat beside ['programs/program.py', '-m', '--x=1']\n"
    assert (run.returncode, run.stdout) == (7, wanted)
    module = python("-m", "artifex_compat", "-m", "program", "-h", cwd=folder)
    wanted = f"artifex_compat beside ['{folder / 'program.py'}', '-h']\n"
    assert (module.returncode, module.stdout) == (7, wanted)
    (folder / "program.py").write_text("raise KeyError('its own')")
    failed = python("-m", "artifex_compat", "programs/program.py", cwd=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr.endswith("KeyError: 'its own'\n")


def test_what_cannot_be_run_is_one_sentence(tmp_path):
    (tmp_path / "programs").mkdir()
    for name in ("program", "workshop"):
        (tmp_path / "programs" / f"{name}.py").write_text("print('it ran')")
    for arguments, words in [
        ([], "the following arguments are required: PROGRAM, ARGS"),
        (["nowhere.py"], "there is no file nowhere.py"),
        (["-m", "nowhere.at_all"], "there is no module nowhere.at_all"),
        (["programs/program.py"], "to have artifex_compat in its place."),
    ]:
        run = python("-m", "artifex_compat", *arguments, cwd=tmp_path)
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr.startswith("usage: python -m artifex_compat")
        assert run.stderr.splitlines()[-1].endswith(words)
    shown = python("-m", "artifex_compat", "--help", cwd=tmp_path)
    assert shown.returncode == 0


def test_pytest_takes_the_aliases_as_a_plugin(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from artifex.generative_models.core.configuration import VAEConfig\n"
        "from artifex_compat.generative_models.core.configuration import VAEConfig as own\n"
        "def test_it():\n    assert VAEConfig is own\n"
    )
    plugin = ("-p", "artifex_compat.aliases")
    run = python("-m", "pytest", "-q", "-W", "error", *plugin, "test_it.py", cwd=tmp_path)
    assert run.returncode == 0, run.stdout
