"""Mutants that compute the same, or that no case could tell apart, each with its reason."""

EQUIVALENT: dict[str, str] = {}
