"""Products of matrices in tf32, as on GPUs: declared, and held to tolerances of their own."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from golden import adapters, loader, runner
from golden.adapters import products
from golden.deviation import deviations_of

NETWORKS = [case for case in loader.load(pattern="build/*") if case.dtype == "f32"]


def in_ten_bits(array):
    """float32 rounded to the ten bits of tf32."""
    bits = array.view(np.uint32) + np.uint32(0xFFF) + ((array.view(np.uint32) >> 13) & 1)
    return (bits & np.uint32(0xFFFFE000)).view(np.float32)


def statuses(case, outputs, kind):
    answers = adapters.Implementation("theirs", lambda _: outputs, {}, products=kind)
    (verdict,) = runner.run([case], answers, ()).verdicts
    return {output.name: output.status for output in verdict.outputs}


@pytest.mark.parametrize("case", NETWORKS, ids=lambda case: case.name)
def test_ten_bits_pass_where_they_are_declared_and_nine_never(case):
    networks = [name for name in case.outputs if "/" not in name]
    rounded = case.outputs | {name: in_ten_bits(case.outputs[name]) for name in networks}
    assert set(statuses(case, rounded, "tf32").values()) == {runner.PASSED}
    if any(np.any(rounded[name] != case.outputs[name]) for name in networks):
        assert runner.FAILED in statuses(case, rounded, "f32").values()
    off = case.outputs | {n: case.outputs[n] + np.abs(case.outputs[n]).max() / 64 for n in networks}
    assert {statuses(case, off, "tf32")[name] for name in networks} == {runner.FAILED}


def test_what_multiplies_no_matrices_is_held_to_float32():
    (case, *_) = loader.load(pattern="kl_divergence/*")
    off = {name: array * np.float32(1 + 2**-10) for name, array in case.outputs.items()}
    assert set(statuses(case, off, "tf32").values()) == {runner.FAILED}


def test_a_deviation_may_be_less_than_the_rounding():
    (case,) = loader.load(pattern="build/tiny")
    (deviation, *_) = deviations_of("edifice_py")
    everything = {"case": ("*",), "output": ("*",), "dtype": "*", "needed": "each"}
    needless = replace(deviation, function=case.function, **everything)
    for kind, wanted in (("f32", runner.FAILED), ("tf32", runner.PASSED)):
        same = adapters.Implementation("theirs", lambda case: case.outputs, {}, products=kind)
        (verdict,) = runner.run([case], same, (needless,)).verdicts
        assert verdict.status == wanted


@pytest.mark.parametrize(
    ("setting", "kind"),
    [(None, "f32"), ("highest", "f32"), ("float32", "f32"), ("tensorfloat32", "tf32")],
)
def test_the_setting_of_jax_is_what_is_declared(setting, kind):
    with jax.default_matmul_precision(setting):
        ours = adapters.implementation("edifice_py")
        assert ours.products == kind
        assert ours.versions.get("products", "f32") == kind
        with products.as_asked():
            assert jax.config.jax_default_matmul_precision == (setting or "highest")


def test_another_setting_is_one_sentence():
    with (
        jax.default_matmul_precision("bfloat16"),
        pytest.raises(adapters.StartError, match=r"must be one of highest, .*, not 'bfloat16'"),
    ):
        adapters.implementation("artifex_compat")
