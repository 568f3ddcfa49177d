"""Tests of the machinery that talks to a cluster, on a real one where it decides."""
