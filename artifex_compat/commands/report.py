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
from edifice_terminal import shown

Element: TypeAlias = ElementTree.Element
Child: TypeAlias = Element | str


def element(tag: str, *children: Child, **attributes: str) -> Element:
    """An HTML element, whose text is escaped.

    Args:
        tag: its name.
        *children: what it holds, in order.
        **attributes: by name, where one `_` at the end is left out.
    """
    made = ElementTree.Element(tag, {n.removesuffix("_"): v for n, v in attributes.items()})
    for child in children:
        if not isinstance(child, str):
            made.append(child)
            continue
        text = "\n".join(map(shown, child.split("\n")))
        if len(made):
            made[-1].tail = (made[-1].tail or "") + text
        else:
            made.text = (made.text or "") + text
    return made


def document(title: str, style: str, *body: Child) -> str:
    """A whole page, which needs nothing else.

    Args:
        title: of the window.
        style: CSS.
        *body: what the page holds.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", style),
    )
    tree = element("html", head, element("body", element("main", *body)), lang="en")
    return f"<!doctype html>\n{ElementTree.tostring(tree, encoding='unicode', method='html')}\n"


def _anchor(title: str) -> str:
    """The id of a heading."""
    return re.sub(r"\W+", "-", title.lower())


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
        used: what it was made with: command, time, machine, versions.
        command: the one that repeats it.
    """

    config: RunConfig
    scores: Scores
    pictures: Sequence[Picture]
    used: Mapping[str, Any]
    command: str


def page(report: Report) -> str:
    """The page of a run."""
    name = str(report.config.name)
    sections: dict[str, list[Child]] = {
        "Scores": _scores(report),
        "Health": _health(report.scores),
        "Pictures": [element("div", *map(_picture, report.pictures), class_="pictures")],
        "What was trained": _configuration(report.config),
        "Run it again": _again(report),
    }
    if not report.pictures:
        del sections["Pictures"]
    links = [element("li", element("a", t, href=f"#{_anchor(t)}")) for t in sections]
    return document(
        name,
        _STYLE.read_text(encoding="utf-8"),
        element("h1", name),
        element("p", f"{report.used['started']}, edifice-py", class_="quiet"),
        element("p", summary(report.config, report.scores), class_="result"),
        element("nav", element("ul", *links), **{"aria-label": "Sections"}),
        *(
            element("section", element("h2", title, id=_anchor(title)), *parts)
            for title, parts in sections.items()
        ),
    )


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
        note = element("span", meaning, class_="quiet note")
        rows.append(
            element(
                "tr",
                element("th", title, note, scope="row"),
                element("td", f"{score['value']:.4g}", class_="number"),
                element("td", options, class_="quiet"),
            )
        )
    heads = ("score", "value", "options")
    head = element("tr", *(element("th", title, scope="col") for title in heads))
    table = element("table", element("thead", head), element("tbody", *rows))
    left_out = [
        element("p", f"{name.replace('_', ' ').capitalize()} left out: {why}")
        for name, why in report.scores.left_out.items()
    ]
    versions = ", ".join(f"{name} {which}" for name, which in report.used["versions"].items())
    return [table, *left_out, element("p", f"Computed with {versions}.", class_="quiet")]


def _health(scores: Scores) -> list[Child]:
    if not scores.health.findings:
        return [element("p", "Nothing is wrong that can be measured: the latents are in use.")]
    return [
        element(
            "div",
            element("h3", finding.name.capitalize()),
            element("p", f"{finding.evidence[:1].upper()}{finding.evidence[1:]}"),
            element("p", "What to do, the first thing first:"),
            element("ol", *(element("li", advice) for advice in finding.advice)),
            class_="card finding",
        )
        for finding in scores.health.findings
    ]


def _picture(picture: Picture) -> Element:
    data = base64.b64encode(picture.png).decode()
    width, height = struct.unpack(">II", picture.png[16:24])
    image = element(
        "img",
        src=f"data:image/png;base64,{data}",
        alt=picture.alt,
        width=f"{width / _SCALE:.0f}",
        height=f"{height / _SCALE:.0f}",
    )
    heading = element("h3", picture.title)
    return element("figure", heading, image, element("figcaption", picture.caption))


def _configuration(config: RunConfig) -> list[Child]:
    values = config.to_dict()
    cards = [
        element("div", element("h3", name), _facts(values[name]), class_="card")
        for name in SECTIONS
    ]
    return [element("div", *cards, class_="cards")]


def _again(report: Report) -> list[Child]:
    used = report.used
    facts = {
        "made by": used["command"],
        "Python": used["python"],
        "platform": used["platform"],
        "devices": used["devices"],
    }
    note = "The same command on the same machine and versions gives the same numbers, bit for bit."
    return [element("pre", element("code", report.command)), element("p", note), _facts(facts)]


def _facts(facts: Mapping[str, Any]) -> Element:
    pairs: list[Element] = []
    for name, value in facts.items():
        pairs += [element("dt", name), element("dd", _text(value))]
    return element("dl", *pairs)


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
