"""The shipped cases, on both implementations, and that nothing about them has been softened."""

import hashlib

import pytest

from golden import adapters, loader, runner, strict
from golden.adapters import artifex_compat, numpy64
from golden.deviation import deviations_of
from golden.functions import ARTIFEX_GROUPS, FUNCTIONS
from golden.lint import lint

RECORDED = {
    "artifex-0.1.3": (
        "de965e29bdde091d9a15cf87db9be4f59177073cdad335d81b035a89fe83239b",
        "8be234f42b7b420c249fdf3b8490b226b25fdc62e92868cd0b505e6ad144b103",
    ),
    "artifex-2026-01": (
        "ccf0b84aa8021bd443723ba89362f96ff405ddd9ae1875e8057bb2b04797163d",
        "bccc337c4f1d8e1e2339500690ec1fe920f2221b315626cfb3794f4577c915f9",
    ),
    "edifice-0.2.0": (
        "7b55e107542a751d4cbff0edfb6415f60d6c0590bdaf6c733e0cd25e2d7f0ae1",
        "e04bc77659c028973b2762ffc6f9ab7c56389fab9f1e6c33553990cf61be832f",
    ),
    "edifice-activations-0.2.0": (
        "ed31c9c96b06e92d430a0b60ddc3962f70bc198ad484bc1f1fd317517a6887de",
        "b5f75740a1d8aeb149007fc74bf6bed235dd3fbb5a2f0f83ab0bf267f26ede90",
    ),
    "edifice-fresh-0.2.0": (
        "13f5168fa29e8c82048e8fd0fcb478c44684f6b85b1d119b7035bee492519de8",
        "6050ebc7259e12d25abfb4ab3ef852ac2d010f1e145fc8d0c344c7c86eebbff7",
    ),
    "edifice-slopes-0.2.0": (
        "f0a329b909e9b3f003820100ca07e09c9dd0cda7d6d2defbab21b627e886fb23",
        "36b19d6921f6a3173f0e45885dc15909d9c3ef0cd05fad083bddb28888d8226d",
    ),
    "edifice-types-0.2.0": (
        "ca882f16b9e32f0211d7379c40553b9e41336f7e296216207781b857f01ba2ff",
        "b1fee538ff56ae2a4e990b7e95c1fb74a807a12f1bbad12268cc1ae8db204d8f",
    ),
    "edifice-vqvae-0.2.0": (
        "ccd2e4f1b2c32bf09c84286a169d0ed2bb8ada734fb440c658214be696664ed5",
        "3f42f1635a2b44a5d80367933047edb0c2702d92bc0d7735348f3f212700dd87",
    ),
    "edifice-vqvae-types-0.2.0": (
        "a41a13990d1936fb3b0942ebbb60bf81b1e50ad1215add068316f4756c0e4a9b",
        "0d0f2d87b055b9de17cd6333642a0b70c1595740721423e88186a952a4e74137",
    ),
    "polaris-0.1.0": (
        "9c81baffe915fab96de924fd41bb10ea361b8cfe6d2978fb739c52b941c45f1b",
        "fab358693bfb484a8b19143fd5f9734551a2135b0be9701f2e5c8e06ca2b0646",
    ),
}
"""The sha256 of the arrays and of the YAML file of each."""
CASES = loader.load()
OF_ARTIFEX = [case for case in CASES if case.source.startswith("artifex")]
COUNTS = {
    "artifex-0.1.3": 172,
    "artifex-2026-01": 172,
    "edifice-0.2.0": 105,
    "edifice-activations-0.2.0": 16,
    "edifice-fresh-0.2.0": 46,
    "edifice-slopes-0.2.0": 41,
    "edifice-types-0.2.0": 35,
    "edifice-vqvae-0.2.0": 122,
    "edifice-vqvae-types-0.2.0": 46,
    "polaris-0.1.0": 18,
}
# Whole models and runs take minutes to compile: `golden check`, which CI runs, asks for all.
QUICK = [
    case
    for case in OF_ARTIFEX
    if not case.function.endswith((".models", ".components", ".training"))
    or case.id in ("models/vae_dense_flat", "training/mlp_linear_mse")
]
ASKED = {
    "edifice_py": [case for case in CASES if case not in OF_ARTIFEX],
    "numpy64": [case for case in CASES if case not in OF_ARTIFEX],
    "artifex_compat": QUICK,
}


@pytest.fixture(scope="module", params=adapters.NAMES)
def run(request):
    """The cases that are for an implementation."""
    name = request.param
    return runner.run(ASKED[name], adapters.implementation(name), deviations_of(name))


def test_every_case_holds(run):
    failed = [verdict for verdict in run.verdicts if verdict.status == runner.FAILED]
    assert failed == []
    assert run.count(runner.UNSUPPORTED) == 0


def test_every_recorded_case_is_for_an_implementation():
    groups = {case.group for case in OF_ARTIFEX}
    assert groups == set(artifex_compat._GROUPS)


def test_every_declared_deviation_is_needed_and_none_is_10_times_too_wide(run):
    asked = {(verdict.case.source, verdict.case.id) for verdict in run.verdicts}
    left = [case for case in CASES if (case.source, case.id) not in asked]
    complete = [
        deviation
        for deviation in deviations_of(run.implementation.name)
        if not any(map(deviation.covers_case, left))
    ]
    assert complete
    assert strict.complaints(run, complete) == ()


@pytest.mark.parametrize("source", COUNTS)
def test_all_recorded_cases_are_there(source):
    assert sum(case.source == source for case in CASES) == COUNTS[source]


@pytest.mark.parametrize("name", RECORDED)
def test_what_was_recorded_is_never_edited(name):
    files = [loader.SHIPPED[0] / f"{name}{suffix}" for suffix in (".npz", ".yaml")]
    found = tuple(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    assert found == RECORDED[name]


def test_nothing_is_wrong_with_the_files():
    assert [str(finding) for finding in lint(loader.SHIPPED)] == []


def test_what_lint_knows_is_what_implementations_offer():
    assert FUNCTIONS.keys() == numpy64._FUNCTIONS.keys()
    assert set(ARTIFEX_GROUPS) == set(artifex_compat._GROUPS)


def test_deviations_speak_of_cases_that_exist():
    for name in adapters.NAMES:
        for deviation in deviations_of(name):
            assert any(deviation.covers_case(case) for case in CASES), deviation
