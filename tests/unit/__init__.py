"""Tests of what needs neither a cluster nor pytest."""
