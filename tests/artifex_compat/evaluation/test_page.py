"""The code of docs/evaluation.md runs."""

import re
from pathlib import Path

import jax

PAGE = Path(__file__).parents[3] / "docs" / "evaluation.md"


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # they write pictures
    parts = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code, names = "".join(parts), {}
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its step count
        exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102
    assert names["report"].examples == 300
    assert {"mig", "sap", "modularity", "active_dimensions"} <= set(names["results"])
    assert names["score"].value < 0
    pictures = {"kl.png", "loss.png", "traversals.png", "z3.png"}
    assert {file.name for file in tmp_path.iterdir()} == pictures
