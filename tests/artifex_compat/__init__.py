"""Tests of the NNX API, and what they make their models with."""
