"""Tests of the matrix's page in a browser, by role and by keyboard, as its readers use it."""
