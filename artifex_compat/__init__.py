"""The Artifex and Workshop API on Flax NNX.

`import artifex_compat.aliases` makes `artifex` and `workshop` other names of it, so that existing
code runs as it is, and so does `python -m artifex_compat script.py`. Without aliases the documented
paths are below `artifex_compat.generative_models`: models in `models.vae`, configurations in
`core.configuration`, trainers and callbacks in `training`. `artifex_compat.evaluation` has metrics,
`pictures` figures, `data` readers. `python -m artifex_compat train` trains from a configuration.
"""
