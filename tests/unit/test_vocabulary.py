"""`podproof steps` lists what scenarios can say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_STEPS = '''
from pytest_bdd import given, parsers, then, when

@given("a lamp")
def lamp():
    """Make a lamp.

    More of it.
    """

@when(parsers.parse("it is switched {count:d} times"))
def switch(count):
    """Switch it."""

@then(parsers.re("it (?P<does>shines|is dark) at last"))
def look(does):
    """Look at it."""

@then(parsers.re("it (?P<does>shines|is dark) at least"))
def look_again(does):
    """Look at it."""
'''
_FEATURE = """
Feature: Light
  Rule: A lamp shines
    Scenario Outline: <times>
      Given a lamp
      When it is switched <times> times
      Then it <does> at last
      Examples:
        | times | does    |
        | 1     | shines  |
        | 2     | is dark |
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for folder in ("steps", "features"):
        (tmp_path / folder).mkdir()
    (tmp_path / "steps" / "light.py").write_text(_STEPS)
    (tmp_path / "features" / "light.feature").write_text(_FEATURE)
    return tmp_path


def podproof_steps(suite: Path) -> subprocess.CompletedProcess[str]:
    # In a process of its own: this one may have modules of the same names.
    return subprocess.run(
        [sys.executable, "-m", "podproof.cli", "steps", str(suite)],
        capture_output=True,
        text=True,
        check=False,
        cwd=suite,
    )


def test_every_step_with_its_first_line_and_an_example(suite: Path) -> None:
    listed = podproof_steps(suite)
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout == (
        "Given (1)\n"
        "  a lamp\n"
        "      Make a lamp.\n"
        "      features/light.feature:5\n"
        "\n"
        "When (1)\n"
        "  it is switched {count:d} times\n"
        "      Switch it.\n"
        "      for example: it is switched 1 times\n"
        "      features/light.feature:6\n"
        "\n"
        "Then (2)\n"
        "  it (shines|is dark) at last\n"
        "      Look at it.\n"
        "      for example: it shines at last\n"
        "      features/light.feature:7\n"
        "  it (shines|is dark) at least\n"
        "      Look at it.\n"
        "\n"
        "no scenario says: Then it (shines|is dark) at least (steps.light.look_again)\n"
        "nearly the same: Then it (shines|is dark) at last\n"
        "            and: Then it (shines|is dark) at least\n"
    )


def test_a_directory_without_steps(tmp_path: Path) -> None:
    listed = podproof_steps(tmp_path)
    assert listed.returncode == 2
    assert listed.stderr.startswith("podproof: there are no steps in ")
    assert listed.stderr.count("\n") == 1


KNOWN_TO_BE_ALIKE = {
    (
        "a client Pod that gets answers at the Pods' own addresses",
        "two client Pods that get answers at the Pod's own address",
    ),
    (
        "a ReplicaSet of 1 Ready Pod on a Node that may be broken",
        "a StatefulSet of 1 Ready Pod on a Node that may be broken",
    ),
    ("a brand-new Pod takes its place", "a brand-new Pod takes its place on {where}"),
    ("its claim stays Pending", "the claim stays Pending"),
    ("the file is gone from that disk", "the files are gone from that disk"),
}
"""Sentences that differ in what they are about, and not merely in their words."""


def test_no_new_sentence_is_nearly_one_that_there_is() -> None:
    root = Path(__file__).parents[2]
    said = podproof_steps(root).stdout
    one = re.findall(r"^nearly the same: \w+ (.*)$", said, re.MULTILINE)
    other = re.findall(r"^ +and: \w+ (.*)$", said, re.MULTILINE)
    assert set(zip(one, other, strict=True)) == KNOWN_TO_BE_ALIKE
