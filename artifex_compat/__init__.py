"""The home of the Artifex and Workshop API on Flax NNX; version 0.1 exports nothing yet."""
