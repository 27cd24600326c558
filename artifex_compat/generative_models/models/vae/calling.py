"""Calling modules and methods that users wrote, which need not take every argument."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flax import nnx

from artifex_compat.generative_models.models.vae.batch import LABEL_KEYS


def call_with(function: Callable[..., Any], *args: Any, **optional: Any) -> Any:
    """Call with those of the `optional` arguments that the function takes."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return function(*args, **optional)
    names = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    return function(*args, **{name: optional[name] for name in optional if name in names})


_IN_FORWARD_PASS: ContextVar[bool] = ContextVar("in a forward pass", default=False)


@contextmanager
def forward_pass() -> Iterator[None]:
    """Within it `encode` and `decode` leave their networks in their mode, as training needs.

    It is no argument of theirs, since a user's own `encode` need not pass it on.
    """
    token = _IN_FORWARD_PASS.set(True)
    try:
        yield
    finally:
        _IN_FORWARD_PASS.reset(token)


def is_inference() -> bool:
    """Whether this is outside of a forward pass."""
    return not _IN_FORWARD_PASS.get()


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has an argument of that name."""
    return name in inspect.signature(function).parameters


def labels_name(function: Callable[..., Any]) -> str | None:
    """The name that a function has for labels, None where it takes none."""
    return next((name for name in LABEL_KEYS if takes(function, name)), None)


def is_conditional(model: Any) -> bool:
    """Whether a model takes labels."""
    methods = (getattr(type(model), name, None) for name in ("__call__", "encode"))
    return any(labels_name(method) for method in methods if method is not None)


def labels_for(function: Callable[..., Any], labels: Any) -> dict[str, Any]:
    """Labels under the name that a function has for them, nothing where it takes none."""
    name = labels_name(function)
    return {} if labels is None or name is None else {name: labels}


def inference(module: Any) -> Any:
    """A copy for inference: running statistics, no dropout, and state that is nobody else's."""
    if not isinstance(module, nnx.Module):
        return module
    copy = nnx.clone(module)
    copy.eval()  # type: ignore[no-untyped-call]
    return copy
