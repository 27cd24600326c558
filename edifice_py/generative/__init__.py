"""Generative models, at the paths that Edifice gives them."""
