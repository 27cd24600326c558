"""The code of docs/evaluation.md runs."""

import re
from pathlib import Path

import jax

PAGE = Path(__file__).parents[3] / "docs" / "evaluation.md"


def test_the_example_of_the_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    with jax.numpy_dtype_promotion("standard"):  # optax promotes its step count
        exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102
    assert names["report"].examples == 300
    assert {"mig", "sap", "modularity", "active_dimensions"} <= set(names["results"])
    assert names["score"].value < 0
