"""Drafting the deviations of a new implementation, from a run without any."""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from golden.deviation import KINDS
from golden.runner import FAILED, OutputVerdict, Run, Verdict

_LONGEST_WORDS = 100
_HEAD = """\
# Drafted by `golden baseline`: where {name} differs from the cases. It is read once each kind is
# one of {kinds}, and each reason is written.
# A bound is what was measured here, rounded up; elsewhere it may take up to three times as much.
"""


def draft(run: Run) -> str:
    """The deviations that a run needs, as YAML, with the kinds and the reasons left open."""
    text = _HEAD.format(name=run.implementation.name, kinds=", ".join(KINDS))
    for verdict in run.verdicts:
        if verdict.broken:
            name, words = (
                verdict.case.address,
                " ".join(verdict.error.split()),
            )
            text += f"# No deviation excuses {name}: {words}\n"
    return text + yaml.safe_dump(
        {"deviations": _merged(run)}, sort_keys=False, allow_unicode=True, width=100
    )


def _merged(run: Run) -> list[dict[str, Any]]:
    """Entries of all cases that failed; those that differ in their case alone are one."""
    merged: dict[str, dict[str, Any]] = {}
    for verdict in run.verdicts:
        if verdict.status == FAILED and not verdict.broken:
            for held in _held(verdict):
                name = _escaped(verdict.case.address)
                function = _escaped(verdict.case.function)
                alike = repr((function, held))
                if isinstance(held.get("bound"), dict):  # a number is one measurement's
                    alike += name
                start = {"function": function, "case": [], "kind": "?", "reason": "to be written"}
                merged.setdefault(alike, start | held)["case"].append(name)
    return list(merged.values())


def _held(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """What a failed case can be held to all the same: outputs by their bounds, or its refusal."""
    if verdict.error:
        long = len(verdict.error) > _LONGEST_WORDS
        yield {"refused": _escaped(verdict.error[:_LONGEST_WORDS]) + ("*" if long else "")}
        return
    without_number: dict[str, list[str]] = {}
    for output in verdict.outputs:
        if output.status == FAILED:
            bound = _bound(verdict, output)
            if isinstance(bound, str):
                without_number.setdefault(bound, []).append(_escaped(output.name))
            else:
                yield {"output": [_escaped(output.name)], "bound": {"absolute": bound}}
    for words, names in without_number.items():
        yield {"output": names, "bound": words}


def _bound(verdict: Verdict, output: OutputVerdict) -> float | str:
    """The greatest difference, or what is left where there is no number."""
    difference = output.difference
    if difference is None or difference.problem or not math.isfinite(difference.max_absolute):
        return "any"
    if verdict.case.outputs[output.name].dtype.kind in "biu":
        return "shape"
    return _rounded_up(difference.max_absolute)


def _rounded_up(number: float) -> float:
    """The least number of two digits that is not below another."""
    text = f"{number:.1e}"
    if float(text) >= number:
        return float(text)
    return float(f"{number + 0.5 * 10.0 ** (math.floor(math.log10(number)) - 1):.1e}")


def _escaped(text: str) -> str:
    """The glob that matches a text, and nothing else."""
    return re.sub(r"([*?[])", r"[\1]", text)
