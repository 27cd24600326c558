"""What the pages say is so: code runs, links lead somewhere."""

import re
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "golden" / "README.md"]

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
ARCHITECTURE = ROOT / "docs" / "architecture.md"


def names_of(code):
    """The names that the code of a page defines."""
    names = {}
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its step count
        exec(compile(code, "page", "exec"), names)  # noqa: S102
    return names


@pytest.mark.parametrize(("code", "result"), list(zip(EXAMPLES, ("loss", "history"), strict=True)))
def test_the_examples_of_the_readme_run(code, result):
    names = names_of(code)
    found = names[result] if result == "loss" else names[result][-1]["loss"]
    assert 0 < found < 1e3


def test_the_example_of_the_architecture_runs():
    (code,) = re.findall(r"```python\n(.*?)```", ARCHITECTURE.read_text("utf-8"), re.DOTALL)
    assert names_of(code)["trainer"].epoch == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_in_tables_exist(page):
    for cell in re.findall(r"^\| (`[^|]*`) \|", page.read_text(encoding="utf-8"), re.MULTILINE):
        for path in re.findall(r"`([\w/]+(?:/|\.py))`", cell):
            places = (ROOT / path, page.parent / path, ROOT / "edifice_py" / path)
            assert any(place.exists() for place in places), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"
