"""The page of a run: what it says, that it is well-formed, and that all of others' is text."""

import re
import shlex
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from golden import adapters, convention, runner, survey
from golden.__main__ import main
from golden.case import Case
from golden.compare import Tolerance
from golden.deviation import Deviation
from golden.heat import picture
from golden.html_report import page
from golden.markup import element

FAKE = Path(__file__).parent / "fakes" / "fake.py"
EVIL = "<script>alert('&')</script>"
WANTED = np.arange(40, dtype=np.float32).reshape(5, 8)
CASES = [
    Case("s", "group", "long", "f", {}, {}, {"x": WANTED}, why=EVIL),
    Case("s", "group", "short", "f", {}, {}, {"x": np.float32([1, 2])}),
    Case("s", "other", "raises", "g", {}, {}, {"x": np.float32(1)}),
]


class Page(HTMLParser):
    """The elements of a page, in order; one that is not closed, or closed twice, is refused."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self._open = [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):  # noqa: D102
        self.elements.append((tag, dict(attributes)))
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag):  # noqa: D102
        assert self._open.pop() == tag

    def handle_data(self, data):  # noqa: D102
        self.words.append(data)

    def all(self, tag):
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def off(case):
    """An answer that is wrong in two places of the first case, and raises in the last."""
    if case.name == "raises":
        raise RuntimeError(EVIL)
    array = case.outputs["x"].copy()
    if case.name == "long":
        array[3, 5] += 1
        array[0, 0] += np.float32(0.001)
    return {"x": array}


def run_of(name, answer, *deviations):
    implementation = adapters.Implementation(name, answer, {"version": EVIL, "platform": "p"})
    return runner.run(CASES, implementation, deviations)


def text_of(*runs):
    return page(runs, {"on": "a day", "by": EVIL})


@pytest.fixture(scope="module")
def lying():
    return text_of(run_of("honest", lambda case: case.outputs), run_of(EVIL, off))


def test_it_is_well_formed_and_needs_nothing_else(lying):
    read = Page(lying)
    assert read.all("script") == read.all("link") == read.all("img") == []
    for _, attributes in read.elements:
        assert not attributes.keys() & {"src", "onload", "onclick", "style"}
        assert attributes.get("href", "#").startswith("#")
    assert "@import" not in lying
    assert "url(" not in lying


def test_what_others_wrote_is_text(lying):
    assert "<script" not in lying
    assert lying.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;") >= 5


def test_it_can_be_heard(lying):
    read = Page(lying)
    assert all(attributes.get("scope") in ("row", "col") for attributes in read.all("th"))
    assert read.all("html") == [{"lang": "en"}]
    assert all(attributes["role"] == "img" for attributes in read.all("svg"))
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    targets = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert {link["href"] for link in read.all("a")} == {f"#{target}" for target in targets}


def test_it_says_who_failed_where_and_by_how_much(lying):
    words = Page(lying).words
    assert words.count("golden: 2 failures") == 2  # the title, and the heading
    assert "1/2 FAILED" in words
    assert words[words.index("worst at") + 1] == "[3, 5]"
    assert words[words.index("wanted") + 1] == "29.0"
    assert words[words.index("had") + 1] == "30.0"
    assert "2 of 40 elements are off, by at most 1" in words
    assert f"RuntimeError: {EVIL}" in words


def test_an_error_of_a_table_is_in_ulps(lying):
    words = Page(lying).words
    assert words[words.index("1/2 FAILED") + 2] == "1e+09 ulp"  # 0.001 where 0 is wanted
    assert words[words.index("2/2") + 2] == "exact"


def test_a_run_that_holds_says_so():
    words = Page(text_of(run_of("honest", lambda case: case.outputs))).words
    assert "golden: all 3 cases hold" in words
    assert "None." in words
    assert "None was needed." in words


def test_a_complaint_fails_the_page():
    held = run_of("honest", lambda case: case.outputs)
    run = runner.Run(held.implementation, held.verdicts, complaints=("the process & more",))
    words = Page(text_of(run)).words
    assert "golden: 1 failure" in words
    assert "the process & more" in words


def test_declared_deviations_are_told_in_words():
    declared = Deviation("f", "precision", "it rounds <so>", bound=Tolerance(absolute=2))
    run = run_of("ours", off, Deviation("g", "convention", "it raises", refused="*"), declared)
    words = Page(text_of(run)).words
    assert "precision: it rounds <so>" in words
    assert "group/long x, 1 off" in words
    assert "convention: it raises" in words


def test_what_cannot_be_compared_is_told_and_has_no_picture():
    run = run_of("flat", lambda case: {"x": case.outputs["x"].ravel()[:1]})
    read = Page(text_of(run))
    assert " wanted f32[5, 8], had f32[1]" in read.words
    assert "not comparable" in read.words
    assert read.all("svg") == []


def test_conventions_are_told_with_their_formulas():
    questions = [question for question in convention.load() if question.case.group == "capacity"]

    def first(case):
        return case.outputs

    run = run_of("ours", first)
    findings = survey.survey(run.implementation, questions)
    words = Page(text_of(runner.Run(run.implementation, run.verdicts, findings=findings))).words
    place = words.index("capacity (loss) ")
    assert words[place + 1 : place + 5] == [questions[0].asks, "absolute", " ", "gamma |KL - C|"]


def squares(svg):
    found = {}
    for level, path in re.findall(r'<path d="([^"]*)" class="heat-(\d)"', svg):
        found |= {
            tuple(map(int, place)): int(path) for place in re.findall(r"M(\d+) (\d+)h", level)
        }
    return found


def test_a_picture_has_a_cell_for_each_element_that_is_off():
    distances = np.zeros((3, 4))
    distances[1, 2], distances[2, 0] = 1.0, 1e-6
    svg = picture(distances, "a < b")
    assert squares(svg) == {(2, 1): 8, (0, 2): 1}
    assert 'viewBox="0 0 4 3"' in svg
    assert "<title>a &lt; b</title>" in svg


def test_a_picture_of_much_shows_the_worst_of_neighbours():
    distances = np.zeros((100, 2, 300))
    distances[99, 1, 299] = 3
    svg = picture(distances, "")
    (place,) = squares(svg)
    columns, rows = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    assert place == (columns - 1, rows - 1)
    assert columns <= 64
    assert rows <= 16


@pytest.mark.parametrize(
    ("distances", "cells"),
    [
        (np.zeros(3), {}),
        (np.float64(2), {(0, 0): 8}),
        (np.array([np.inf, 0.0, np.inf]), {(0, 0): 8, (2, 0): 8}),
        (np.array([np.inf, 1.0, 10.0, 100.0]), {(0, 0): 8, (1, 0): 1, (2, 0): 5, (3, 0): 8}),
        (np.array([2.0, 2.0]), {(0, 0): 8, (1, 0): 8}),
        (np.array([5e-324, 1.7e308]), {(0, 0): 1, (1, 0): 8}),
    ],
)
def test_a_picture_of_any_distances(distances, cells):
    assert squares(picture(distances, "")) == cells


def test_markup_escapes_what_it_did_not_make():
    inner = element("b", "1 < 2", title='"')
    assert element("p", inner, " & ") == '<p><b title="&quot;">1 &lt; 2</b> &amp; </p>'


@pytest.fixture
def echoes(tmp_path):
    array = "{dtype: f32, data: [[1.0, 2.0], [3.0, 4.0]]}"
    case = f"{{function: echo, inputs: {{x: {array}}}, outputs: {{x: {array}}}}}"
    text = f"groups: {{echo: {{first: {case}, second_bad: {case}}}}}"
    (tmp_path / "mine.yaml").write_text(text)
    return "--fixtures", str(tmp_path)


@pytest.mark.parametrize(("mode", "code"), [("honest", 0), ("transposed", 1), ("crash", 1)])
def test_the_command_writes_it(echoes, mode, code, tmp_path, capsys):
    file = tmp_path / "report.html"
    command = shlex.join([sys.executable, "-I", "-S", str(FAKE), mode])
    assert main(["check", *echoes, "--command", command, "--html", str(file)]) == code
    read = Page(file.read_text(encoding="utf-8"))
    assert ("mine:echo/second_bad" in read.words) == bool(code)
    assert len(read.all("svg")) == (mode == "transposed")
    assert "none of these" in read.words  # it echoes, whatever it is asked
    assert sum(word.startswith("Linux") or "platform" in word for word in read.words) >= 1
    capsys.readouterr()


def test_a_place_that_is_not_there_is_told_before_anything_runs(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--html", "nowhere/run.html"])
    assert stopped.value.code == 2
    assert "--html nowhere/run.html: there is no folder nowhere" in capsys.readouterr().err
