"""Tests of the embedded cluster, on the embedded cluster."""
