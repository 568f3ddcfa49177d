"""Tests of the plugin, by suites with trivial steps that it runs."""
