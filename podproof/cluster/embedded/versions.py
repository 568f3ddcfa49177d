"""Which versions of Kubernetes there are, and which one is meant."""

import re

from podproof.errors import ComponentError, UsageError

from . import gotool, releases
from .progress import Report, silent
from .recipes import DEFAULT_KUBERNETES, OLDEST_KUBERNETES

_FULL = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_MINOR = re.compile(r"v?(\d+)\.(\d+)")


def parse(version: str) -> tuple[int, int, int]:
    """Take ``1.37.1`` apart, a leading ``v`` allowed.

    Raises:
        UsageError: It is no full version.
    """
    match = _FULL.fullmatch(version)
    if not match:
        raise UsageError(
            f"{version!r} is no version of Kubernetes: give 1.37.1 (a release), 1.37 (its newest) or latest"
        )
    major, minor, patch = map(int, match.groups())
    return major, minor, patch


def is_full(version: str) -> bool:
    """Whether it is a full version, such as ``1.37.1``."""
    return bool(_FULL.fullmatch(version))


def resolve(wanted: str | None, report: Report = silent, *, released: bool = False) -> str:
    """Return the full version that `wanted` means: None the default, ``latest``, a minor, or a patch release.

    A full version is taken as it stands, without asking anybody; whether it can be had shows when it is
    built or downloaded.

    Args:
        wanted: See above.
        report: Told what lasts.
        released: Whether the site of the releases is asked which is the newest, not the Go module proxy.

    Raises:
        UsageError: It is no version, or one that is too old.
        ComponentError: There is no such minor release, or nobody says which versions there are.
    """
    if wanted is None:
        return DEFAULT_KUBERNETES
    if wanted == "latest":
        return _newest_release(None, report) if released else available()[-1]
    if match := _MINOR.fullmatch(wanted):
        minor = (int(match[1]), int(match[2]))
        refuse_old(minor, wanted)
        if released:
            return _newest_release(f"{minor[0]}.{minor[1]}", report)
        fitting = [version for version in available() if parse(version)[:2] == minor]
        if not fitting:
            raise ComponentError(f"Kubernetes {wanted} cannot be had; there are {_listed()}")
        return fitting[-1]
    version = parse(wanted)
    refuse_old(version[:2], wanted)
    return ".".join(map(str, version))


def available() -> list[str]:
    """Every released version that the Go module proxy lists and podproof can run, oldest first.

    Raises:
        ComponentError: The list cannot be had.
    """
    try:
        answer = gotool.ask(["list", "-m", "-versions", "-json", "k8s.io/kubernetes"])
    except ComponentError as error:
        raise ComponentError(f"the list of Kubernetes versions cannot be had: {error}") from None
    # The default was had when it was chosen; a proxy's list may be shorter than what it serves.
    listed = {version.removeprefix("v") for version in answer.get("Versions", ())} | {DEFAULT_KUBERNETES}
    released = [version for version in listed if _FULL.fullmatch(version)]
    return sorted((version for version in released if parse(version)[:2] >= OLDEST_KUBERNETES), key=parse)


def not_to_be_had(version: str, reason: str) -> ComponentError:
    """The one line about a version that the module proxy does not serve."""
    return ComponentError(f"Kubernetes {version} cannot be had ({reason}); listed are {_listed()}")


def refuse_old(minor: tuple[int, int], wanted: str) -> None:
    """Refuse a version, named `wanted`, whose minor release podproof cannot start.

    Raises:
        UsageError: It is such a one.
    """
    if minor < OLDEST_KUBERNETES:
        oldest = ".".join(map(str, OLDEST_KUBERNETES))
        raise UsageError(f"Kubernetes {wanted} is too old: {oldest} is the oldest that podproof can start")


def _newest_release(minor: str | None, report: Report) -> str:
    told = releases.newest(minor, report).removeprefix("v")
    if not is_full(told):
        raise ComponentError(f"{releases.site()} does not tell the newest version, but {told[:40]!r}")
    refuse_old(parse(told)[:2], told)
    return told


def _listed() -> str:
    try:
        return ", ".join(available())
    except ComponentError:
        return "none that could be listed either: is the Go module proxy within reach?"
