"""Stacks of layers with activations, normalisation and dropout between them."""
