"""Generative models by the names of the Artifex and Workshop documentation."""
