"""Every argument of every public constructor changes what a user sees, or is refused."""

import inspect

import jax
import numpy as np
import pytest

from artifex_compat.generative_models.core import configuration as configs
from artifex_compat.generative_models.models import vae as models
from edifice_py.generative import vae
from tests.artifex_compat.argument_cases import BESIDE, CASES, NOTE_OF_MODEL


def arguments(kind):
    if kind is vae.build:
        return [name for name in vae.build.__annotations__ if name != "return"]
    return list(inspect.signature(kind.__init__).parameters)[1:]


def equal(a, b):
    if jax.tree.structure(a) != jax.tree.structure(b):
        return False
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_every_argument_changes_something_or_is_refused(kind):
    make, changes = CASES[kind]
    known = set(changes) | {name for owner, name in NOTE_OF_MODEL if owner is kind}
    assert known == set(arguments(kind)), set(arguments(kind)) ^ known
    silent, refused, before = [], {}, {}
    for name, change in changes.items():
        beside = BESIDE.get((kind, name), {})
        key = tuple(beside)
        if key not in before:
            before[key] = make(**beside)
        try:
            after = make(**{**beside, **change})
        except (TypeError, ValueError) as error:
            refused[name] = str(error)
            continue
        if equal(before[key], after):
            silent.append(name)
    assert not silent
    assert all(name in text.lower() or "shape" in text for name, text in refused.items()), refused


def test_every_public_class_is_here():
    public = [getattr(module, name) for module in (models, configs) for name in module.__all__]
    abstract = {configs.BaseConfig, configs.BaseNetworkConfig}
    assert {kind for kind in public if inspect.isclass(kind)} - abstract <= CASES.keys()
