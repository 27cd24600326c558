"""Mutation evidence: break every formula in turn, and see that the golden check notices."""
