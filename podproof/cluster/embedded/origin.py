"""Where Kubernetes' own components come from, and so which version there is to be."""

import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from podproof.errors import ComponentError, MachineError, UsageError

from . import gobuild, releases, versions
from .gobuild import BUILD, RELEASE
from .gotool import last_line
from .progress import Report
from .recipes import KUBERNETES_COMMANDS, kubernetes

AUTO = "auto"
"""Whichever is there: what is cached, else the release if its site answers, else a build."""


@dataclass(frozen=True)
class Origin:
    """Kubernetes' own components: of which version, and from where.

    Attributes:
        version: The full version.
        place: ``build``, ``release``, or the directory that they are in.
        fingerprint: Changes when the files of a directory do; else empty.
    """

    version: str
    place: str
    fingerprint: str = ""


def wanted(option: str | None) -> str:
    """What the option says, or else ``$PODPROOF_COMPONENTS``: ``auto``, ``build``, ``release`` or a path.

    Raises:
        UsageError: It is neither such a word nor a directory.
    """
    place = option or os.environ.get("PODPROOF_COMPONENTS") or AUTO
    if place in (AUTO, BUILD, RELEASE):
        return place
    if not Path(place).is_dir():
        named = "--components" if option else "PODPROOF_COMPONENTS"
        raise UsageError(f"{named} is {place!r}: it may be build, release, auto or a directory that is there")
    return str(Path(place).resolve())


def choose(version: str | None, option: str | None, report: Report) -> Origin:
    """Decide where Kubernetes comes from, and which version is meant.

    Args:
        version: What `versions.resolve` takes.
        option: What `wanted` takes.
        report: Told what was chosen where the choice is podproof's.

    Raises:
        UsageError: The version or the place makes no sense.
        ComponentError: There is no such version there.
    """
    place = wanted(option)
    if place == AUTO:
        return _whichever(version, report)
    if place in (BUILD, RELEASE):
        return Origin(versions.resolve(version, report, released=place == RELEASE), place)
    return _own(Path(place), version)


def fingerprint(place: str) -> str:
    """Names the commands that a directory has now, by inode, size and time; empty for what never changes."""
    if place in (BUILD, RELEASE):
        return ""
    files = [Path(place) / name for name in KUBERNETES_COMMANDS]
    known = [file.stat() for file in files if file.exists()]
    listed = json.dumps([(file.st_ino, file.st_size, file.st_mtime_ns) for file in known])
    return hashlib.sha256(listed.encode()).hexdigest()[:12]


def fits(version: str, asked: str | None) -> bool:
    """Whether a full version is the one asked for, by its number or the beginning of it."""
    return asked is None or bool(re.match(rf"{re.escape(asked.removeprefix('v'))}(?![0-9])", version))


def _whichever(asked: str | None, report: Report) -> Origin:
    named = asked is None or versions.is_full(asked)  # so nobody need be asked which one is meant
    released = not named and not releases.why_out_of_reach(releases.site())
    version = versions.resolve(asked, report, released=released)
    if releases.directory_of(version).exists():
        report(f"Kubernetes {version}: the release that is in the cache")
        return Origin(version, RELEASE)
    if _is_built(version):
        report(f"Kubernetes {version}: the build that is in the cache")
        return Origin(version, BUILD)
    if reason := releases.why_out_of_reach(releases.site()):
        report(f"Kubernetes {version}: built here, since {releases.site()} is out of reach ({reason})")
        return Origin(version, BUILD)
    report(f"Kubernetes {version}: the release of {releases.site()}")
    return Origin(version, RELEASE)


def _is_built(version: str) -> bool:
    try:
        return gobuild.directory_of(kubernetes(version)).exists()
    except MachineError:  # without a Go tool nobody knows what a build would be; doctor says so
        return False


def _own(directory: Path, asked: str | None) -> Origin:
    """A developer's own build."""
    # A machine is shown the directory, and nothing that a link leads to elsewhere.
    lacking = [
        name
        for name in KUBERNETES_COMMANDS
        if not os.access(directory / name, os.X_OK) or (directory / name).resolve().parent != directory
    ]
    if lacking:
        raise ComponentError(
            f"{directory} has no {', '.join(lacking)} of its own: "
            f"--components takes a directory with all of {', '.join(KUBERNETES_COMMANDS)}"
        )
    kubelet = directory / "kubelet"
    try:
        done = subprocess.run(
            [str(kubelet), "--version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise ComponentError(f"{kubelet} does not run here: {error.strerror}") from None
    said = re.fullmatch(r"Kubernetes v((\d+)\.(\d+)\.\S+)", done.stdout.strip())
    if not said:
        words = last_line(done.stderr or done.stdout)
        raise ComponentError(f"{kubelet} --version does not tell a version of Kubernetes: {words}")
    version = said[1]
    if not fits(version, asked):
        raise UsageError(f"{directory} has Kubernetes {version}, not {asked}: leave out --kubernetes-version")
    versions.refuse_old((int(said[2]), int(said[3])), version)
    return Origin(version, str(directory), fingerprint(str(directory)))
