"""The shipped cases, on both implementations, and that nothing about them has been softened."""

import hashlib

import numpy as np
import pytest

from golden import adapters, loader, runner
from golden.deviation import deviations_of

RECORDED = {
    "edifice-0.2.0.npz": "7b55e107542a751d4cbff0edfb6415f60d6c0590bdaf6c733e0cd25e2d7f0ae1",
    "edifice-0.2.0.yaml": "e04bc77659c028973b2762ffc6f9ab7c56389fab9f1e6c33553990cf61be832f",
}
CASES = loader.load()


@pytest.fixture(scope="module", params=adapters.NAMES)
def run(request):
    """All cases on one implementation."""
    name = request.param
    return runner.run(CASES, adapters.implementation(name), deviations_of(name))


def test_every_case_holds(run):
    failed = [verdict for verdict in run.verdicts if verdict.status == runner.FAILED]
    assert failed == []
    assert run.count(runner.UNSUPPORTED) == 0


def test_every_declared_deviation_is_needed_and_none_is_10_times_too_wide(run):
    name = run.implementation.name
    for deviation in deviations_of(name):
        needed = [
            output.difference
            for verdict in run.verdicts
            for output in verdict.outputs
            if output.deviation == deviation
        ]
        assert needed, f"nothing needs the deviation of {deviation.function} {deviation.output}"
        worst = max(needed, key=lambda difference: difference.max_absolute)
        allowed = deviation.bound.allowed(np.array([worst.wanted]))[0]
        assert worst.max_absolute > allowed / 10, f"{deviation.function}: {worst} within {allowed}"


def test_all_105_recorded_cases_are_there():
    assert sum(case.source == "edifice-0.2.0" for case in CASES) == 105


@pytest.mark.parametrize("name", RECORDED)
def test_what_was_recorded_is_never_edited(name):
    content = (loader.SHIPPED[0] / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == RECORDED[name]


def test_no_case_is_there_twice():
    ids = [(case.source, case.id) for case in CASES]
    assert len(set(ids)) == len(ids)


def test_every_case_written_by_hand_says_why():
    assert all(case.why for case in CASES if case.source != "edifice-0.2.0")


def test_deviations_speak_of_cases_that_exist():
    for name in adapters.NAMES:
        for deviation in deviations_of(name):
            assert any(deviation.covers(case, output) for case in CASES for output in case.outputs)
