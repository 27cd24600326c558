"""Every argument of every public constructor changes what a user sees, or is refused."""

import inspect

import jax
import numpy as np
import pytest

from artifex_compat.generative_models import training
from artifex_compat.generative_models.core import configuration as configs
from artifex_compat.generative_models.models import vae as models
from artifex_compat.generative_models.training import callbacks
from tests.artifex_compat.argument_cases import BESIDE, CASES, NOTE_OF_MODEL
from tests.artifex_compat.trainer_cases import TRAINER_BESIDE, TRAINER_CASES

ALL = CASES | TRAINER_CASES


def arguments(kind):
    if inspect.isfunction(kind):
        return [name for name in kind.__annotations__ if name != "return"]
    return list(inspect.signature(kind.__init__).parameters)[1:]


def equal(a, b):
    if jax.tree.structure(a) != jax.tree.structure(b):
        return False
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:orbax")
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__qualname__)
def test_every_argument_changes_something_or_is_refused(kind):
    make, changes = ALL[kind]
    known = set(changes) | {name for owner, name in NOTE_OF_MODEL if owner is kind}
    assert known == set(arguments(kind)), set(arguments(kind)) ^ known
    silent, refused, before = [], {}, {}
    for name, change in changes.items():
        beside = (BESIDE | TRAINER_BESIDE).get((kind, name), {})
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
    modules = (models, configs, training, callbacks)
    public = [getattr(module, name) for module in modules for name in module.__all__]
    classes = {kind for kind in public if inspect.isclass(kind)}
    abstract = {configs.BaseConfig, configs.BaseNetworkConfig, callbacks.Callback}
    # Those that are given a configuration or a path alone, or what they are made of is shown in
    # their own tests.
    others = {kind for kind in classes if kind.__module__.startswith(callbacks.__name__)}
    assert classes - abstract - others <= ALL.keys()
