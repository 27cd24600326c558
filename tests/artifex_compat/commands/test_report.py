"""The page: whole, safe and readable without a picture."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from artifex_compat.commands.configuration import build_config
from artifex_compat.commands.draw import Picture
from artifex_compat.commands.report import MEANINGS, Report, Scores, page
from artifex_compat.evaluation.advice import POSTERIOR_COLLAPSE, Finding
from artifex_compat.evaluation.disentanglement import METRICS
from artifex_compat.evaluation.health import HealthReport
from artifex_compat.evaluation.score import Score

HOSTILE = """<script>alert("1")</script>&amp;'<img src=x onerror=alert(2)>"""
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text; every element must be closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.found, self.text = [], [], ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):  # noqa: D102
        assert self.open.pop() == tag

    def handle_data(self, data):  # noqa: D102
        self.text += data

    def all(self, tag):
        """The attributes of all elements of a tag."""
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def report():
    """A report in which every text that a user can give is hostile."""
    active = Score("active_units", 0.0, {"threshold": 0.01}, {"variances": (0.0, 0.0)})
    mse = Score("reconstruction_mse", 0.25)
    scores = {score.name: score.as_dict() for score in (active, mse)}
    finding = Finding("posterior collapse", HOSTILE, POSTERIOR_COLLAPSE)
    health = HealthReport(9, active, None, (), None, (finding,))
    config = build_config(None, [])
    config = replace(config, name=HOSTILE, data=replace(config.data, seed=77))
    picture = Picture("a", HOSTILE, HOSTILE, HOSTILE, b"\x89PNG\r\n\x1a\n" + bytes(40))
    used = {
        **dict.fromkeys(("command", "python", "platform"), HOSTILE),
        "started": "today",
        "devices": [HOSTILE],
        "versions": {"jax": HOSTILE},
    }
    found = Scores(9, scores, health, {"likelihood": HOSTILE})
    return Report(config, found, [picture], used, HOSTILE)


def test_what_users_write_is_text(report):
    found = Page(page(report))
    assert {tag for tag, _ in found.found}.isdisjoint({"script", "iframe", "link", "object"})
    assert len(found.all("img")) == 1
    assert found.text.count(HOSTILE) >= 9
    assert not any(name.startswith("on") for _, given in found.found for name in given)


def test_it_tells_what_is_wrong_and_what_to_do(report):
    text = Page(page(report)).text
    assert "Posterior collapse" in text
    assert all(advice in text for advice in POSTERIOR_COLLAPSE)
    assert "Likelihood left out: " in text
    assert "reconstructs 9 examples with a mean squared error of 0.25." in text
    assert "seed77" in text


def test_without_pictures_there_is_no_section_of_them(report):
    assert "Pictures" not in Page(page(replace(report, pictures=[]))).text


def test_the_page_of_a_run_is_whole(trained):
    text = (trained / "report.html").read_text(encoding="utf-8")
    found = Page(text)
    images = found.all("img")
    assert len(images) == len(list((trained / "figures").iterdir()))
    for image in images:
        assert image["src"].startswith("data:image/png;base64,iVBOR")
        assert len(image["alt"]) > 20
        assert 100 < int(image["width"]) < 700
    assert not re.search(r"https?://|url\(|@import|<script", text)
    assert found.all("meta")[1]["content"].startswith("width=device-width")
    links = {given["href"][1:] for given in found.all("a")}
    assert links == {given["id"] for given in found.all("h2")}
    assert f"train --config {trained / 'config.yaml'}" in found.text
    for score in ("ELBO", "Log-likelihood", "MIG", "Active units"):
        assert score in found.text


def test_every_metric_has_a_meaning():
    names = {"dci": ("dci_disentanglement", "dci_completeness", "dci_informativeness")}
    assert {one for name in METRICS for one in names.get(name, (name,))} <= MEANINGS.keys()
