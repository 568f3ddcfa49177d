"""Components are built once, by one builder, all or nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from podproof.cluster.embedded import gobuild, origin, recipes, versions
from podproof.cluster.embedded.progress import silent
from podproof.errors import ComponentError, UsageError

SMALL = recipes.CNI_PLUGINS
"""The quickest of the real recipes: seconds, with Go's own cache warm."""

BUILD = (
    "from podproof.cluster.embedded import gobuild, recipes\n"
    "from podproof.cluster.embedded.progress import Progress\n"
    "gobuild._build(recipes.CNI_PLUGINS, Progress())\n"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("PODPROOF_CACHE", str(tmp_path))
    return tmp_path


def builder() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", BUILD],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.usefixtures("cache")
def test_two_builders_at_once_build_once() -> None:
    first, second = builder(), builder()
    said = first.communicate()[1] + second.communicate()[1]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert said.count("compiling") == 1
    assert said.count("waiting for that") == 1
    built = gobuild.directory_of(SMALL)
    assert sorted(path.name for path in built.iterdir() if os.access(path, os.X_OK)) == sorted(SMALL.commands)
    assert [path.name for path in built.parent.iterdir()] == [built.name], "nothing half-made is left"


@pytest.mark.usefixtures("cache")
def test_a_builder_that_is_killed_leaves_nothing_that_counts() -> None:
    process = builder()
    assert process.stderr is not None
    assert any("compiling" in line for line in process.stderr)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not gobuild.directory_of(SMALL).exists()
    again = builder()
    said = again.communicate()[1]
    assert again.returncode == 0, said
    built = gobuild.directory_of(SMALL)
    assert [path.name for path in built.parent.iterdir()] == [built.name]


def test_a_command_that_is_there_runs_and_says_its_version() -> None:
    own = origin.choose(None, None, silent)
    kubelet = gobuild.Components(own.version, silent, origin=own.place).command("kubelet")
    said = subprocess.run([str(kubelet), "--version"], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"Kubernetes v{recipes.DEFAULT_KUBERNETES}"


def test_a_version_that_does_not_exist_names_those_that_do(cache: Path) -> None:
    with pytest.raises(ComponentError) as raised:
        gobuild._build(recipes.kubernetes("1.36.99"), silent)
    text = str(raised.value)
    assert text.startswith("Kubernetes 1.36.99 cannot be had (")
    assert recipes.DEFAULT_KUBERNETES in text
    assert "\n" not in text
    assert not list((cache / "components").iterdir())


def test_a_minor_version_means_its_newest_release() -> None:
    newest = versions.resolve("1.33")
    assert versions.parse(newest)[:2] == (1, 33)
    assert newest in versions.available()
    assert versions.resolve("latest") == versions.available()[-1]


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("1.12.3", "Kubernetes 1.12.3 is too old: 1.32 is the oldest that podproof can start"),
        ("1.12", "Kubernetes 1.12 is too old"),
        (
            "newest",
            "'newest' is no version of Kubernetes: give 1.37.1 (a release), 1.37 (its newest) or latest",
        ),
        ("1.37.1-rc.0", "is no version of Kubernetes"),
    ],
)
def test_a_version_that_makes_no_sense(wanted: str, text: str) -> None:
    with pytest.raises(UsageError) as raised:
        versions.resolve(wanted)
    assert text in str(raised.value)


def test_a_minor_version_that_is_not_out_yet() -> None:
    with pytest.raises(ComponentError, match=r"Kubernetes 1\.99 cannot be had; there are 1\.32\."):
        versions.resolve("1.99")
