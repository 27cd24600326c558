"""The report of a run: scores and pictures on one HTML page, with no script and no other file."""

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

from artifex_compat.commands.configuration import SECTIONS, RunConfig
from artifex_compat.commands.draw import Picture
from artifex_compat.evaluation import HealthReport
from edifice_terminal import printable_lines

Element: TypeAlias = ElementTree.Element
Child: TypeAlias = Element | str


_STYLE = Path(__file__).with_name("report.css")
_SCALE = 1.5
"""Dots of a picture for each pixel of the page."""

MEANINGS = {
    "active_units": ("Active units", "latents that vary with the data"),
    "kl_per_dimension": ("KL", "of the posterior from the prior, in nats an example"),
    "perplexity": ("Perplexity", "codes in use, as if all were used alike"),
    "reconstruction_mse": ("Reconstruction", "mean squared error; 0 is perfect"),
    "elbo": ("ELBO", "log-likelihood from below, in nats an example; higher is better"),
    "importance_weighted_log_likelihood": (
        "Log-likelihood",
        "importance-weighted, in nats an example; higher is better",
    ),
    "mean_mutual_information": ("Mutual information", "mean of latents and factors, in nats"),
    "mig": ("MIG", "does one latent know a factor, and no other? 0 to 1"),
    "sap": ("SAP", "does one latent predict a factor, and no other? 0 to 1"),
    "dci_disentanglement": ("DCI disentanglement", "does a latent serve one factor? 0 to 1"),
    "dci_completeness": ("DCI completeness", "is a factor in one latent? 0 to 1"),
    "dci_informativeness": ("DCI informativeness", "how well latents predict factors; up to 1"),
    "modularity": ("Modularity", "does a latent know one factor only? 0 to 1"),
    "factor_vae": ("FactorVAE", "does the stillest latent tell which factor is held? up to 1"),
    "beta_vae": ("BetaVAE", "do differences of latents tell which factor is held? up to 1"),
}
"""What scores are called, and what they say."""


@dataclass(frozen=True)
class Scores:
    """The results of an evaluation.

    Attributes:
        examples: how many it is from.
        scores: numbers by name, each as `Score.as_dict` gives it.
        health: whether the model uses its latents.
        left_out: what was not computed, and why.
    """

    examples: int
    scores: dict[str, dict[str, Any]]
    health: HealthReport
    left_out: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "examples": self.examples,
            "scores": self.scores,
            "health": self.health.as_dict(),
            "left_out": self.left_out,
        }

    @property
    def values(self) -> dict[str, float]:
        """The numbers alone."""
        return {name: score["value"] for name, score in self.scores.items()}

    @property
    def text(self) -> str:
        """Lines to read."""
        width = max(map(len, self.values))
        lines = [f"{name:{width}}  {value:.4g}" for name, value in self.values.items()]
        lines += [f"{finding.name}: {finding.evidence}" for finding in self.health.findings]
        lines += [f"{name} left out: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


@dataclass(frozen=True)
class Report:
    """The content of a page.

    Attributes:
        config: of the run.
        scores: of the evaluation.
        pictures: in their order.
        environment: command, time, machine and versions of the run.
        command: the one that repeats it.
    """

    config: RunConfig
    scores: Scores
    pictures: Sequence[Picture]
    environment: Mapping[str, Any]
    command: str


def page(report: Report) -> str:
    """The HTML of the page, which needs no other file."""
    name = str(report.config.name)
    sections: dict[str, list[Child]] = {
        "Scores": _scores(report),
        "Health": _health(report.scores),
        "Pictures": [_element("div", *map(_picture, report.pictures), class_="pictures")],
        "What was trained": _configuration(report.config),
        "Run it again": _again(report),
    }
    if not report.pictures:
        del sections["Pictures"]
    links = [_element("li", _element("a", t, href=f"#{_anchor(t)}")) for t in sections]
    head = _element(
        "head",
        _element("meta", charset="utf-8"),
        _element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _element("title", name),
        _element("style", _STYLE.read_text(encoding="utf-8")),
    )
    main = _element(
        "main",
        _element("h1", name),
        _element("p", f"{report.environment['started']}, edifice-py", class_="quiet"),
        _element("p", summary(report.config, report.scores), class_="result"),
        _element("nav", _element("ul", *links), **{"aria-label": "Sections"}),
        *(
            _element("section", _element("h2", title, id=_anchor(title)), *parts)
            for title, parts in sections.items()
        ),
    )
    tree = _element("html", head, _element("body", main), lang="en")
    return f"<!doctype html>\n{ElementTree.tostring(tree, encoding='unicode', method='html')}\n"


def summary(config: RunConfig, scores: Scores) -> str:
    """The result in one sentence."""
    values, latents = scores.values, len(scores.health.active_units.details["variances"])
    text = (
        f"A {config.model.type} with {latents} latents, {values['active_units']:.0f} of them "
        f"active, reconstructs {scores.examples:,} examples with a mean squared error of "
        f"{values['reconstruction_mse']:.3g}"
    )
    more = {
        "importance_weighted_log_likelihood": "a log-likelihood of {:.2f} nats",
        "perplexity": "a perplexity of {:.1f}",
        "mig": "a MIG of {:.3f}",
    }
    parts = [form.format(values[name]) for name, form in more.items() if name in values]
    return f"{text}{', with ' if parts else ''}{' and '.join(parts)}."


def _scores(report: Report) -> list[Child]:
    rows = []
    for name, score in report.scores.scores.items():
        options = ", ".join(f"{name} {_text(value)}" for name, value in score["options"].items())
        title, meaning = MEANINGS.get(name, (name, ""))
        note = _element("span", meaning, class_="quiet note")
        rows.append(
            _element(
                "tr",
                _element("th", title, note, scope="row"),
                _element("td", f"{score['value']:.4g}", class_="number"),
                _element("td", options, class_="quiet"),
            )
        )
    heads = ("score", "value", "options")
    head = _element("tr", *(_element("th", title, scope="col") for title in heads))
    table = _element("table", _element("thead", head), _element("tbody", *rows))
    left_out = [
        _element("p", f"{name.replace('_', ' ').capitalize()} left out: {why}")
        for name, why in report.scores.left_out.items()
    ]
    versions = ", ".join(
        f"{name} {which}" for name, which in report.environment["versions"].items()
    )
    return [table, *left_out, _element("p", f"Computed with {versions}.", class_="quiet")]


def _health(scores: Scores) -> list[Child]:
    if not scores.health.findings:
        return [_element("p", "Nothing is wrong that can be measured: the latents are in use.")]
    return [
        _element(
            "div",
            _element("h3", finding.name.capitalize()),
            _element("p", f"{finding.evidence[:1].upper()}{finding.evidence[1:]}"),
            _element("p", "What to do, the first thing first:"),
            _element("ol", *(_element("li", advice) for advice in finding.advice)),
            class_="card finding",
        )
        for finding in scores.health.findings
    ]


def _picture(picture: Picture) -> Element:
    data = base64.b64encode(picture.png).decode()
    width, height = struct.unpack(">II", picture.png[16:24])
    image = _element(
        "img",
        src=f"data:image/png;base64,{data}",
        alt=picture.alt,
        width=f"{width / _SCALE:.0f}",
        height=f"{height / _SCALE:.0f}",
    )
    heading = _element("h3", picture.title)
    return _element("figure", heading, image, _element("figcaption", picture.caption))


def _configuration(config: RunConfig) -> list[Child]:
    values = config.to_dict()
    cards = [
        _element("div", _element("h3", name), _facts(values[name]), class_="card")
        for name in SECTIONS
    ]
    return [_element("div", *cards, class_="cards")]


def _again(report: Report) -> list[Child]:
    environment = report.environment
    facts = {
        "made by": environment["command"],
        "Python": environment["python"],
        "platform": environment["platform"],
        "devices": environment["devices"],
    }
    note = "The same command on the same machine and versions gives the same numbers, bit for bit."
    return [_element("pre", _element("code", report.command)), _element("p", note), _facts(facts)]


def _facts(facts: Mapping[str, Any]) -> Element:
    pairs: list[Element] = []
    for name, value in facts.items():
        pairs += [_element("dt", name), _element("dd", _text(value))]
    return _element("dl", *pairs)


def _text(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        same = len(value) > 1 and len(set(map(str, value))) == 1
        return f"{_text(value[0])} for all" if same else ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _element(tag: str, *children: Child, **attributes: str) -> Element:
    """An HTML element, whose text is escaped.

    Args:
        tag: its name.
        *children: what it holds, in order.
        **attributes: by name, where one `_` at the end is left out.
    """
    parent = ElementTree.Element(tag, {n.removesuffix("_"): v for n, v in attributes.items()})
    for child in children:
        if not isinstance(child, str):
            parent.append(child)
            continue
        text = printable_lines(child)
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + text
        else:
            parent.text = (parent.text or "") + text
    return parent


def _anchor(title: str) -> str:
    """The id of a heading."""
    return re.sub(r"\W+", "-", title.lower())
