"""Taking files out of Debian packages, for images that need a real distribution."""

import io
import subprocess
import tarfile
from pathlib import Path

from podproof.errors import MachineError

from .gotool import last_line

NOT_IN_IMAGES = frozenset(
    {"adduser", "cdebconf", "debconf", "dpkg", "init-system-helpers", "install-info", "iproute2"}
    | {"libpam-modules", "libpam-runtime", "lsb-base", "mount", "passwd", "perl", "procps", "runit-helper"}
    | {"sed", "ucf"}
)
"""Needed to install a package or to run it as a service, not to run its program; or busybox has it."""

WITHOUT = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/lintian",
    "usr/share/locale",
    "etc/init.d",
    "usr/lib/systemd",
)
"""Paths that no program reads."""


def closure(names: tuple[str, ...]) -> list[str]:
    """Return the packages and all that their programs need, sorted.

    Raises:
        MachineError: apt does not know one of them, or is not there.
    """
    seen: set[str] = set()
    wave = set(names)
    while wave:
        seen |= wave
        depends = _run(["apt-cache", "depends", "--important", *sorted(wave)])
        named = {
            line.split(":", 1)[1].strip() for line in depends.splitlines() if line.startswith("  Depends:")
        }
        wave = {name for name in named if not name.startswith("<")} - seen - NOT_IN_IMAGES
    return sorted(seen)


def files(packages: list[str], directory: Path) -> list[tarfile.TarFile]:
    """Download packages into `directory` and return the files of each.

    Raises:
        MachineError: One of them cannot be had.
    """
    _run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages], directory)
    found = []
    for package in packages:
        archive = next(iter(sorted(directory.glob(f"{package}_*.deb"))), None)
        if archive is None:
            raise MachineError(f"apt downloaded no {package}: apt-get update, then try again")
        data = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(archive)],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        found.append(tarfile.open(fileobj=io.BytesIO(data.stdout)))  # noqa: SIM115 - the caller closes it
    return found


def _run(arguments: list[str], directory: Path | None = None) -> str:
    try:
        done = subprocess.run(
            arguments, cwd=directory, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise MachineError(
            f"no {arguments[0]} to take the images' files from: "
            "images are put together on Debian and Ubuntu; PODPROOF_IMAGES=pull pulls them"
        ) from None
    if done.returncode:
        raise MachineError(
            f"{' '.join(arguments[:2])} failed ({last_line(done.stderr)}): apt-get update, then try again"
        )
    return done.stdout
