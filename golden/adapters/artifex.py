"""The released Artifex, asked by the code that asks `artifex_compat`: `nox -s parity_artifex`."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from golden.adapters import Implementation, StartError, UnsupportedError, artifex_compat
from golden.arrays import Array
from golden.case import Case


def make() -> Implementation:
    """The implementation.

    Raises:
        StartError: this environment has no Artifex.
    """
    try:
        release = version("avitai-artifex")
    except PackageNotFoundError:
        raise StartError(
            "avitai-artifex is not installed here: `nox -s parity_artifex` makes an environment "
            "that has it"
        ) from None
    ours = artifex_compat.make()
    versions = {"avitai-artifex": release, **ours.versions}
    return Implementation("artifex", answer, versions, products=ours.products)


def answer(case: Case) -> Mapping[str, Array]:
    """The outputs of a case; those of the checkout, `artifex.*`, are of another API."""
    if case.function.startswith("artifex."):
        raise UnsupportedError(case.function)
    return artifex_compat.answer(case, "artifex")
