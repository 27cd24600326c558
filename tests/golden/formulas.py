"""What the formulas of conventions give."""

import numpy as np

from golden.reference.conventions import FORMULAS


def by_formula(question, name, formulas=FORMULAS):
    """The outputs of a convention by its formula in float64."""
    options = {k: v for k, v in question.case.options.items() if k != "place"}
    inputs = {
        name: array if array.dtype.kind == "i" else array.astype(np.float64)
        for name, array in question.case.inputs.items()
    }
    return formulas[question.case.group][name](**inputs, **options)
