"""Everything that is run on this project, as sessions: `nox -l` lists them, CI calls only these."""

import shutil
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"

PARALLEL = ("-n", "auto", "--maxprocesses", "8")
PROJECT = nox.project.load_toml("pyproject.toml")["project"]


@nox.session
def demo(session: nox.Session) -> None:
    """Train a VAE on real images, then show that its numbers are Elixir's."""
    session.install("-e", ".[cli,evaluate]")
    session.run("python", "examples/digits.py", *session.posargs)
    session.run("python", "-m", "golden", "check", "--filter", "edifice*:*")


@nox.session
def tests(session: nox.Session) -> None:
    """The default suite."""
    session.install("-e", ".[test]")
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def golden(session: nox.Session) -> None:
    """Hold all implementations against all shipped cases; arguments go to `golden check`."""
    session.install("-e", ".")
    session.run("python", "-m", "golden", "check", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and common mistakes."""
    session.install(*PROJECT["optional-dependencies"]["lint"])
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Static types."""
    session.install("-e", ".[types]")
    session.run("mypy")


@nox.session
def mutate(session: nox.Session) -> None:
    """Break every formula in turn: the golden check must notice each time."""
    session.install("-e", ".")
    session.run("python", "-m", "tests.mutation", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """The default suite with the lowest versions that the project says it works with."""
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["cli"], *extras["evaluate"], *extras["test"]]
    requirements = [Requirement(text) for text in wanted if not text.startswith(PROJECT["name"])]
    pins = [f"{r.name}=={s.version}" for r in requirements for s in r.specifier]
    session.install("-e", ".[test]", *pins)
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """What an import and a training step cost, as ratios to bare JAX."""
    session.install("-e", ".")
    session.run("python", "benchmarks/import_cost.py")
    session.run("python", "benchmarks/train_step.py")
    session.run("python", "benchmarks/training.py")


@nox.session(venv_backend="none")
def clean(session: nox.Session) -> None:
    """Remove what runs and builds leave behind."""
    for path in (Path("runs"), Path("dist"), Path("build")):
        shutil.rmtree(path, ignore_errors=True)
        session.log(f"removed {path}")
