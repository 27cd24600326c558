"""Makers of models, one for each family."""
