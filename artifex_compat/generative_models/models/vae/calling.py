"""Calling modules and methods that users wrote, which need not take every argument."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flax import nnx

from artifex_compat.generative_models.models.vae.batch import LABEL_KEYS

Method = TypeVar("Method", bound=Callable[..., Any])
_MARK = "in_forward_pass"


def call_with(function: Callable[..., Any], *args: Any, **optional: Any) -> Any:
    """Call with those of the `optional` arguments that the function takes."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return function(*args, **optional)
    names = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    return function(*args, **{name: optional[name] for name in optional if name in names})


def loss_call(model: Any) -> Callable[..., Any]:
    """A model's own `loss_fn` as a function `(model, x, outputs, **optional)`.

    It is called by the names `x` and `outputs`, as documented, where it has them; or by position,
    as in the releases of Artifex, `loss_fn(batch, model_outputs)`. Of the optional arguments it is
    given those that it takes.

    Raises:
        TypeError: there is no `loss_fn`, or it takes neither form.
    """
    method = getattr(model, "loss_fn", None)
    if method is None:
        raise TypeError(
            f"loss must be given, as a {type(model).__name__} has no loss_fn of its own."
        )
    signature = inspect.signature(method)
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    first = next((name for name, kind in kinds.items() if kind in by_position), None)
    names = [name for name, kind in kinds.items() if kind is not inspect.Parameter.POSITIONAL_ONLY]
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds.values()
    named = {"x", "outputs"} <= {*names} or (takes_any and first in (None, "params"))
    try:
        signature.bind(**dict.fromkeys(("x", "outputs"))) if named else signature.bind(None, None)
    except TypeError as error:
        raise TypeError(
            f"loss_fn of {type(model).__name__} must take (x, outputs) by name, or "
            f"(batch, model_outputs) by position: {error}."
        ) from error

    def call(model: Any, x: Any, outputs: Any, **optional: Any) -> Any:
        given = {n: value for n, value in optional.items() if takes_any or n in names}
        if named:
            return model.loss_fn(x=x, outputs=outputs, **given)
        return model.loss_fn(x, outputs, **given)

    return call


def call_in_mode(
    function: Callable[..., Any], *args: Any, deterministic: bool | None, **optional: Any
) -> Any:
    """Call with the mode too, where it is given and the function has `deterministic` by that name.

    One that takes any keyword is not given it: it may pass all of them on, as `nnx.Sequential`
    does to its first layer.
    """
    if deterministic is not None and takes(function, "deterministic"):
        optional["deterministic"] = deterministic
    return call_with(function, *args, **optional)


def forward_pass(method: Method) -> Method:
    """A method of a model within which `encode` and `decode` run networks in the model's mode.

    It is called with a view of the model: an object of the same class and the same attributes,
    and `in_forward_pass`. That is a static attribute, so a program that the user compiled from an
    override is another one there than for inference. What the method sets is set on the model.
    """

    @wraps(method)
    def call(model: Any, *args: Any, **kwargs: Any) -> Any:
        if model.in_forward_pass:
            return method(model, *args, **kwargs)
        before = dict(vars(model))
        view = object.__new__(type(model))
        vars(view).update(before, in_forward_pass=True)
        try:
            return method(view, *args, **kwargs)
        finally:
            after = {name: value for name, value in vars(view).items() if name != _MARK}
            for name in before.keys() - after.keys():
                vars(model).pop(name, None)
            changed = {n: v for n, v in after.items() if n not in before or before[n] is not v}
            vars(model).update(changed)

    return cast(Method, call)


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has an argument of that name."""
    return name in inspect.signature(function).parameters


def labels_name(function: Callable[..., Any]) -> str | None:
    """The name that a function has for labels, None where it takes none."""
    parameters = inspect.signature(function).parameters
    return next((name for name in LABEL_KEYS if name in parameters), None)


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
