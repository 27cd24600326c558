"""Makers of models."""
