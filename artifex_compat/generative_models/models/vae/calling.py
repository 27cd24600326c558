"""Calling modules and methods that users wrote, which need not take every argument."""

import inspect
from collections.abc import Callable
from typing import Any

from flax import nnx


def call_with(function: Callable[..., Any], *args: Any, **optional: Any) -> Any:
    """Call with those of the `optional` arguments that the function takes."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return function(*args, **optional)
    names = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    return function(*args, **{name: optional[name] for name in optional if name in names})


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has an argument of that name."""
    return name in inspect.signature(function).parameters


def inference(module: Any) -> Any:
    """A copy for inference: running statistics, no dropout, and state that is nobody else's."""
    if not isinstance(module, nnx.Module):
        return module
    copy = nnx.clone(module)
    copy.eval()  # type: ignore[no-untyped-call]
    return copy
