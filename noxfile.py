"""Everything that is run on this project, as sessions: `nox -l` lists them, CI calls only these."""

import re
import shutil
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

PARALLEL = ("-n", "auto", "--maxprocesses", "8")
PYPROJECT = nox.project.load_toml("pyproject.toml")
PROJECT = PYPROJECT["project"]


@nox.session
def demo(session: nox.Session) -> None:
    """Train a VAE on real images up to its report, then show that the numbers are Elixir's."""
    session.install("-e", ".[cli,evaluate]")
    session.run("python", "-m", "artifex_compat", "train", *session.posargs)
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
    session.install("-e", ".[test]", *requirements("lowest"))
    session.run("pytest", *PARALLEL, *session.posargs)


INTERPRETERS = ("3.11", "3.12", "3.13", "3.14")
GPU_TESTS = ("tests/golden", "tests/edifice_py", "tests/artifex_compat/training")
VERSIONS = "from importlib.metadata import version; print(version('jax'), version('flax'))"
ROWS: list[tuple[str, ...]] = []


@nox.session(python=INTERPRETERS)
@nox.parametrize("platform", ("cpu", "gpu"), ids=("cpu", "gpu"))
@nox.parametrize("resolution", ("lowest", "newest"), ids=("lowest", "newest"))
def matrix(session: nox.Session, resolution: str, platform: str) -> None:
    """Suite and golden check on all interpreters, versions, platforms; arguments go to pytest."""
    session.notify("matrix_table")
    cell = (str(session.python), resolution, platform)
    if platform == "gpu" and not has_gpu():
        ROWS.append((*cell, "", "", "skipped: no GPU", ""))
        session.skip("no GPU")
    began, versions, result = time.monotonic(), ["", ""], "failed"
    try:
        extras = "test,gpu" if platform == "gpu" else "test"
        session.install("--upgrade", "-e", f".[{extras}]", *requirements(resolution))
        if told := session.run("python", "-c", VERSIONS, silent=True):
            versions = str(told).split()
        if platform == "cpu":
            session.run("pytest", *PARALLEL, *session.posargs)
            session.run("python", "-m", "golden", "check")
        else:
            test_on_gpu(session)
        result = "passed" if told else "installed"  # nothing runs with --install-only
    finally:
        ROWS.append((*cell, *versions, result, f"{time.monotonic() - began:.0f}"))


@nox.session(venv_backend="none", default=False)
def matrix_table(session: nox.Session) -> None:
    """What `matrix` found: it asks for this at its end."""
    heading = ("interpreter", "resolution", "platform", "jax", "flax", "result", "seconds")
    ran = {row[0] for row in ROWS}
    absent = [
        (python, "", "", "", "", "skipped: not found, or not asked for", "")
        for python in INTERPRETERS
        if python not in ran
    ]
    rows = [heading, *ROWS, *absent]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        session.log("  ".join(map(str.ljust, row, widths)).rstrip())


def requirements(resolution: str) -> list[str]:
    """What the suite needs, at its declared lower bounds, or at the newest versions there are."""
    extras = PROJECT["optional-dependencies"]
    used = ("cli", "data", "evaluate", "interchange", "test")
    wanted = [*PROJECT["dependencies"], *(text for name in used for text in extras[name])]
    found = [Requirement(text) for text in wanted if not text.startswith(PROJECT["name"])]
    if resolution == "newest":
        return [requirement.name for requirement in found]
    bounds = [(r.name, bound) for r in found for bound in r.specifier if bound.operator == ">="]
    return [f"{name}=={bound.version}" for name, bound in bounds]


def has_gpu() -> bool:
    """Whether this machine has a GPU that JAX's CUDA wheels can use."""
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool, "-L"], check=False).returncode == 0  # noqa: S603


def test_on_gpu(session: nox.Session) -> None:
    """The golden and training tests in full float32; all cases, training among them, in tf32."""
    # Workers share the GPU's memory, of which each would take three quarters.
    env = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    precision = "JAX_DEFAULT_MATMUL_PRECISION"
    tests = session.posargs or GPU_TESTS
    session.run("pytest", *PARALLEL, *tests, env=env | {precision: "highest"})
    session.run("python", "-m", "golden", "check", env=env | {precision: "tensorfloat32"})


# Installed with all it declares Artifex is 3.4 GB, torch and tensorflow among it, which its VAEs
# never import. What they import is this, in the versions of the recorded run where it names them.
ARTIFEX = ("avitai-artifex==0.1.3", "datarax==0.1.4")
ARTIFEX_NEEDS = (
    *("jax==0.10.2", "flax==0.12.8", "optax==0.2.8", "numpy==2.3.5", "pyyaml", "ml-dtypes"),
    *("calibrax==0.1.1", "dacite==1.9.2", "distrax==0.1.9", "grain==0.2.18", "tomli-w==1.2.0"),
)


@nox.session
def parity_artifex(session: nox.Session) -> None:
    """Hold the released Artifex 0.1.3 against what was recorded from it."""
    session.install(*ARTIFEX_NEEDS)
    session.install("--no-deps", *ARTIFEX, "-e", ".")
    # Most of the time is XLA's; later runs share what the first compiled.
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(session.cache_dir / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    command = "python -m golden serve artifex"
    cases = ("--filter", "artifex-0.1.3*:*", *session.posargs)
    session.run("python", "-m", "golden", "check", "--command", command, *cases, env=cache)


@nox.session
def bench_artifex(session: nox.Session) -> None:
    """What documented calls cost, as ratios to the released Artifex; names of workloads follow."""
    session.install(*ARTIFEX_NEEDS, "jaxtyping", "orbax-checkpoint")
    session.install("--no-deps", *ARTIFEX, "-e", ".")
    session.run("python", "benchmarks/plain_calls.py", *session.posargs)


@nox.session(python=["3.11", "3.13"])
def wheel(session: nox.Session) -> None:
    """Build, install the wheel in an empty environment, and use it away from the checkout."""
    session.install("build")
    with TemporaryDirectory() as folder:
        away = Path(folder)
        session.run("python", "-m", "build", "--outdir", folder)
        (built,), (source,) = away.glob("*.whl"), away.glob("*.tar.gz")
        check_wheel(session, built)
        check_source(session, source)
        session.run("python", "-m", "venv", str(away / "env"))
        python = str(away / "env" / "bin" / "python")
        demo = str(Path("examples/digits.py").resolve())
        (away / "script.py").write_text(script_for_artifex(), encoding="utf-8")
        ours = ("--implementation", "edifice_py", "--implementation", "numpy64")
        with session.chdir(away):
            session.run(python, "-m", "pip", "install", "-q", str(built), external=True)
            session.run(python, "-m", "golden", "check", *ours, external=True)
            session.run(python, "-m", "artifex_compat", "script.py", external=True)
            extras = f"{built}[cli,evaluate]"
            session.run(python, "-m", "pip", "install", "-q", extras, external=True)
            session.run(python, demo, "--epochs", "3", "--out", "digits", external=True)
            train = ("-m", "artifex_compat", "train", "--set", "training.epochs=2")
            session.run(python, *train, external=True)


def check_wheel(session: nox.Session, built: Path) -> None:
    """Whether a wheel holds every file of the packages: cases, fixtures, py.typed."""
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = (file for package in packages for file in Path(package).rglob("*") if file.is_file())
    wanted = {file.as_posix() for file in files if file.parent.name != "__pycache__"}
    with zipfile.ZipFile(built) as archive:
        missing = sorted(wanted - set(archive.namelist()))
    if missing:
        session.error(f"the wheel lacks {', '.join(missing)}")


def check_source(session: nox.Session, source: Path) -> None:
    """Whether a source distribution names no folder of the machine that it was built on."""
    places = [f"{place}/".encode() for place in (Path.cwd(), Path.home())]
    with tarfile.open(source) as archive:
        for member in archive:
            file = archive.extractfile(member)
            content = file.read() if file else b""
            if any(place in content for place in places):
                session.error(f"{member.name} names a folder of this machine")


def script_for_artifex() -> str:
    """The README's example of the Artifex API as an existing script has it: without the aliases."""
    blocks = re.findall(r"```python\n(.*?)```", Path("README.md").read_text("utf-8"), re.DOTALL)
    (example,) = (block for block in blocks if "from artifex." in block)
    lines = example.splitlines(keepends=True)
    return "".join(line for line in lines if "artifex_compat" not in line)


@nox.session
def bench(session: nox.Session) -> None:
    """What an import, a first model and a training step cost, as ratios to bare JAX and nnx."""
    session.install("-e", ".")
    session.run("python", "benchmarks/import_cost.py")
    session.run("python", "benchmarks/first_model.py")
    session.run("python", "benchmarks/train_step.py")
    session.run("python", "benchmarks/training.py")


@nox.session(venv_backend="none")
def clean(session: nox.Session) -> None:
    """Remove what runs and builds leave behind."""
    for path in (Path("runs"), Path("dist"), Path("build")):
        shutil.rmtree(path, ignore_errors=True)
        session.log(f"removed {path}")
