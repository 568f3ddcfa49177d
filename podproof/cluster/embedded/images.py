"""Having the images of the catalogue: put together from built components and Debian packages, or pulled."""

import functools
import hashlib
import inspect
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from podproof.errors import UsageError

from . import catalogue, debian, oci, waits
from .catalogue import CATALOGUE, E2E
from .gobuild import Components
from .oci import Layer, write_archive
from .progress import Report

_SHELL_PACKAGES = ("busybox",)
"""The dynamic busybox: the static one crashes when it looks up a name."""

_USERS = b"""\
root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
sshd:x:100:65534::/run/sshd:/bin/false
mysql:x:999:999::/var/lib/mysql:/bin/false
nobody:x:65534:65534::/:/bin/false
"""
_GROUPS = b"root:x:0:\nwww-data:x:33:\nmysql:x:999:\nnogroup:x:65534:\n"


BUILD, PULL = "build", "pull"
"""Where images come from: put together here, or pulled from their registries."""


def sources() -> tuple[str, ...]:
    """Where images may come from: as ``$PODPROOF_IMAGES`` says, or else either.

    Raises:
        UsageError: It says something else.
    """
    chosen = os.environ.get("PODPROOF_IMAGES", "auto")
    if chosen not in (BUILD, PULL, "auto"):
        raise UsageError(f"PODPROOF_IMAGES is {chosen!r}: it may be build, pull or auto")
    return (BUILD, PULL) if chosen == "auto" else (chosen,)


def reachable_source(report: Report) -> str:
    """Pull where the registry that has most of them answers, else build."""
    registry = E2E.partition("/")[0]
    try:
        with socket.create_connection((registry, 443), waits.REACHABLE_SECONDS):
            return PULL
    except OSError as error:
        report(f"{registry} is out of reach ({error}): putting the images together here")
        return BUILD


def public_names() -> list[str]:
    """Every reference that a registry has."""
    return [name for image in CATALOGUE if image.public for name in image.names]


def pull_options() -> list[str]:
    """What a pull is told: ``$PODPROOF_REGISTRY_HOSTS`` is a directory of hosts.toml files, for mirrors.

    Their format is containerd's, https://github.com/containerd/containerd/blob/main/docs/hosts.md.
    """
    hosts = os.environ.get("PODPROOF_REGISTRY_HOSTS")
    return ["--hosts-dir", hosts] if hosts else []


def key(components: Components, source: str) -> str:
    """Names the images that these components give: changes when the way of making them does."""
    ours = sys.modules[__name__]
    making = [inspect.getsource(module) for module in (catalogue, debian, oci, ours)]
    if source == PULL:
        making += [source, components.directory("containerd").name]
    else:
        making.append(components.images_key)
    return hashlib.sha256("\0".join(making).encode()).hexdigest()[:12]


def write_archives(
    components: Components, directory: Path, report: Report, *, public: bool = True
) -> list[Path]:
    """Write the images of the catalogue as archives into `directory`: all, or those that no registry has."""
    wanted = [image for image in CATALOGUE if public or not image.public]
    if not wanted:
        return []
    with tempfile.TemporaryDirectory(prefix="podproof-packages-") as scratch:
        packages = _Packages(Path(scratch))
        shell = _shell_layer(packages)
        archives = []
        for image in wanted:
            report(f"image {image.names[0]}")
            layer = Layer()
            held = packages.closure(image.packages)
            if image.base:
                held = [name for name in held if name not in packages.closure(_SHELL_PACKAGES)]
            else:
                layer.directory("tmp", 0o1777)
            packages.add(layer, held, image.leave_out)
            if image.fill:
                image.fill(layer, components)
            archive = directory / f"{image.names[0].rsplit('/', 1)[1].replace(':', '-')}.tar"
            layers = [shell, layer.finish()] if image.base else [layer.finish()]
            write_archive(archive, image.names, layers, image.entrypoint, image.command)
            archives.append(archive)
        return archives


class _Packages:
    """Debian packages, each looked up and downloaded once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.closure = functools.cache(self._closure)

    def _closure(self, names: tuple[str, ...]) -> list[str]:
        return debian.closure(names) if names else []

    def add(self, layer: Layer, names: Sequence[str], leave_out: Sequence[str] = ()) -> None:
        """Put the packages' files into the layer, but for those below the paths in `leave_out`."""
        if not names:
            return
        folder = Path(tempfile.mkdtemp(dir=self._directory))
        for archive in debian.files(list(names), folder):
            with archive:
                layer.package(archive, (*debian.WITHOUT, *leave_out))
        shutil.rmtree(folder)

    def applets(self) -> list[str]:
        """The commands that busybox says it has."""
        folder = Path(tempfile.mkdtemp(dir=self._directory))
        [archive] = debian.files(["busybox"], folder)
        with archive:
            program = archive.extractfile("./bin/busybox")
            (folder / "busybox").write_bytes(program.read() if program else b"")
        (folder / "busybox").chmod(0o755)
        listed = subprocess.run(
            [str(folder / "busybox"), "--list"],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return [name for name in listed.stdout.split() if name != "busybox"]


def _shell_layer(packages: _Packages) -> bytes:
    """A minimal Debian: C library, a shell with its tools, users, name look-up."""
    layer = Layer()
    for top in ("bin", "sbin", "lib", "lib64"):
        layer.link(top, f"usr/{top}")
    for top in (
        "usr/bin",
        "usr/sbin",
        "usr/lib",
        "usr/lib64",
        "etc",
        "root",
        "run",
        "var/log",
        "proc",
        "sys",
        "dev",
    ):
        layer.directory(top)
    for top in ("tmp", "var/tmp"):
        layer.directory(top, 0o1777)
    layer.file("etc/passwd", _USERS, 0o644)
    layer.file("etc/group", _GROUPS, 0o644)
    layer.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n", 0o644)
    packages.add(layer, packages.closure(_SHELL_PACKAGES))
    for applet in packages.applets():
        layer.link(f"usr/bin/{applet}", "busybox")
    return layer.finish()
