"""The formulas in float64 numpy, written from the papers and documents, not from our code.

They are the truth that implementations are held against: no jax, no import of `edifice_py`.
Names and arguments follow `edifice_py.core`, so that one case asks both.
"""
