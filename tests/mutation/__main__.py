"""`python -m tests.mutation [GLOB]`: every formula broken in turn, each in a process of its own.

A mutant is noticed when `golden check` exits with 1 on it. Exit code 1 where one is not, and is not
in `EQUIVALENT`. A glob picks mutants by `file function: change`.
"""

import argparse
import contextlib
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).parent.parent.parent / "edifice_py"
FIRST = {
    "core/reduce.py": "core.reduce/*",
    "core/gaussian.py": "core.gaussian/*",
    "core/reconstruction.py": "core.reconstruction/*",
    "core/objective.py": "core.objective/*",
    "core/schedules.py": "core.schedules/*",
    "core/quantize.py": "core.quantize/*",
    "core/special.py": "core.special/*",
    "core/convolution.py": "core.convolution.*/*",
    "threefry.py": "random.*",
    "random.py": "random.*",
    "nx.py": "*/*f16",
    "activations.py": "build.activation/*",
    "axon.py": "build/tiny",
    "generative/vae.py": "loss/*",
    "generative/vqvae.py": "vqvae.loss*/*",
    "generative/codebook.py": "vqvae.quantize/*",
}
"""The formulas, and the cases that are likeliest to notice: they are asked before all others."""

NOTICED = 1


def all_mutants() -> list[tuple[str, Mutant]]:
    """Every mutant of every file with formulas."""
    return [
        (file, mutant)
        for file in FIRST
        for mutant in mutants((ROOT / file).read_text(encoding="utf-8"))
    ]


def check(file: str, mutant: Mutant | None) -> int:
    """Fork; in the child, put the mutant in the file's place and run the golden check."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            code = _check_here(file, mutant)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _check_here(file: str, mutant: Mutant | None) -> int:
    path, original = str(ROOT / file), SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        if mutant and self.path == path:
            return compile(mutant.tree, path, "exec")
        return original(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    from golden.__main__ import main

    # The mutant is in this process alone.
    here = ("--fail-fast", "--processes", "1")
    arguments = ["check", "--implementation", "edifice_py", *here, "--filter"]
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        os.dup2(nowhere.fileno(), 2)
        try:
            return main([*arguments, FIRST[file]]) or main([*arguments, "*"])
        except Exception:  # a module that cannot even be imported is noticed by anyone
            return NOTICED


def run() -> int:
    """Check all mutants that are asked for, two at a time."""
    parser = argparse.ArgumentParser("tests.mutation", description=__doc__)
    parser.add_argument("glob", nargs="?", default="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    wanted = [
        (file, mutant)
        for file, mutant in all_mutants()
        if fnmatchcase(f"{file} {mutant.name}", options.glob)
    ]
    print(f"{len(wanted)} mutants in {len({file for file, _ in wanted})} files")
    if check("core/reduce.py", None) != 0:
        print("the golden check does not pass on what is not broken")
        return 1
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda pair: _report(*pair), wanted))
    counts = Counter(verdicts)
    print(", ".join(f"{count} {words}" for words, count in sorted(counts.items())))
    needed = {
        f"{file} {mutant.name}"
        for (file, mutant), verdict in zip(wanted, verdicts, strict=True)
        if verdict == "excused"
    }
    needless = {f"{f} {m.name}" for f, m in wanted if f"{f} {m.name}" in EQUIVALENT} - needed
    for name in sorted(needless):
        print(f"needless excuse: {name}")
    return 1 if counts["SURVIVED"] or needless or not wanted else 0


def _report(file: str, mutant: Mutant) -> str:
    """Check a mutant and print a line; of several of one name, an excuse is for those that live."""
    code, excuse = check(file, mutant), EQUIVALENT.get(f"{file} {mutant.name}")
    verdict = "noticed" if code == NOTICED else "excused" if excuse else "SURVIVED"
    reason = f"  ({excuse})" if verdict == "excused" else ""
    print(f"{verdict:<10}{file}:{mutant.line} {mutant.name}{reason}", flush=True)
    return verdict


if __name__ == "__main__":
    # What every child needs, imported once: a fork of it starts at the mutant.
    import jax  # noqa: F401
    import optax  # noqa: F401
    import scipy.special  # noqa: F401

    sys.exit(run())
