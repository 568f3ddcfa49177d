"""What is told of a program that failed."""

from __future__ import annotations

import pytest

from podproof.cluster.embedded.gotool import last_line


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "no output"),
        ("first\nsecond\n\n", "second"),
        (
            "go: some.org/module@v1: 403 Forbidden\n\tnot available\n",
            "go: some.org/module@v1: 403 Forbidden not available",
        ),
        ("\tonly this\n", "only this"),
        ("x" * 500, "x" * 400 + " ..."),
    ],
)
def test_the_last_line_that_says_something_is_told_with_what_it_continues(said: str, told: str) -> None:
    assert last_line(said) == told
