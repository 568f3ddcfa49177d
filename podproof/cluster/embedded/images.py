"""The images that the manifests name, put together from built components and Debian packages."""

import functools
import hashlib
import inspect
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from podproof.errors import UsageError

from . import debian, waits
from .gobuild import Components
from .oci import Layer, write_archive
from .progress import Report

E2E = "registry.k8s.io/e2e-test-images"
PAUSE = "registry.k8s.io/pause:3.10.2"
COREDNS_TAG = "v1.14.6"


@dataclass(frozen=True)
class Image:
    """One image, and how to make it.

    Attributes:
        names: Full references, as manifests write them.
        entrypoint: What it runs.
        base: Whether it stands on the shell layer.
        packages: Debian packages whose files it holds.
        fill: Adds everything else to its layer.
        command: Default arguments.
    """

    names: tuple[str, ...]
    entrypoint: tuple[str, ...]
    base: bool = False
    packages: tuple[str, ...] = ()
    fill: Callable[[Layer, Components], None] | None = None
    command: tuple[str, ...] = ()


def _binary(command: str, path: str) -> Callable[[Layer, Components], None]:
    def fill(layer: Layer, components: Components) -> None:
        layer.file(path, components.command(command))

    return fill


_NGINX_CONF = b"""\
user www-data;
worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 256; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /dev/stdout;
    sendfile on;
    include /etc/nginx/conf.d/*.conf;
}
"""

_NGINX_DEFAULT = b"""\
server {
    listen 80;
    location / {
        root /usr/share/nginx/html;
        index index.html index.htm;
    }
}
"""


def _nginx(layer: Layer, components: Components) -> None:
    """Lay NGINX out as its own images do: pages in /usr/share/nginx/html, sites in /etc/nginx/conf.d."""
    del components
    layer.file("etc/nginx/nginx.conf", _NGINX_CONF, 0o644)
    layer.file("etc/nginx/conf.d/default.conf", _NGINX_DEFAULT, 0o644)
    layer.directory("var/lib/nginx")
    layer.directory("var/log/nginx")


CATALOGUE = (
    # Upstream's pause sleeps and reaps; catatonit does just that with -P.
    Image(("registry.k8s.io/pause:3.10.2",), ("/usr/bin/catatonit", "-P"), packages=("catatonit",)),
    Image(
        (f"{E2E}/agnhost:2.66.1",),
        ("/agnhost",),
        base=True,
        fill=_binary("agnhost", "agnhost"),
        command=("pause",),
    ),
    # The provisioner's helper asks for plain "busybox".
    Image(
        (f"{E2E}/busybox:1.37.0-2", "docker.io/library/busybox:latest"), (), base=True, command=("/bin/sh",)
    ),
    Image(
        (f"{E2E}/nginx:1.27.0-2", f"{E2E}/nginx:1.28.0-2"),
        ("/usr/sbin/nginx", "-g", "daemon off;"),
        base=True,
        packages=("nginx", "nginx-common"),
        fill=_nginx,
    ),
    Image(
        (f"registry.k8s.io/coredns/coredns:{COREDNS_TAG}",), ("/coredns",), fill=_binary("coredns", "coredns")
    ),
    Image(
        ("docker.io/rancher/local-path-provisioner:v0.0.30",),
        (),
        fill=_binary("local-path-provisioner", "usr/bin/local-path-provisioner"),
        command=("local-path-provisioner",),
    ),
)

_SHELL_PACKAGES = ("busybox",)
"""The dynamic busybox: the static one crashes when it looks up a name."""

_USERS = b"""\
root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534::/:/bin/false
"""
_GROUPS = b"root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n"


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


def names() -> list[str]:
    """Every reference that is needed."""
    return [name for image in CATALOGUE for name in image.names]


def pull_options() -> list[str]:
    """What a pull is told: ``$PODPROOF_REGISTRY_HOSTS`` is a directory of hosts.toml files, for mirrors.

    Their format is containerd's, https://github.com/containerd/containerd/blob/main/docs/hosts.md.
    """
    hosts = os.environ.get("PODPROOF_REGISTRY_HOSTS")
    return ["--hosts-dir", hosts] if hosts else []


def key(components: Components, source: str) -> str:
    """Names the images that these components give: changes when the way of making them does."""
    if source == PULL:
        containerd = components.directory("containerd").name
        return hashlib.sha256("\0".join([source, containerd, *names()]).encode()).hexdigest()[:12]
    sources = [
        inspect.getsource(module)
        for module in (debian, inspect.getmodule(Image), inspect.getmodule(Layer))
        if module
    ]
    return hashlib.sha256("\0".join([components.images_key, *sources]).encode()).hexdigest()[:12]


def write_archives(components: Components, directory: Path, report: Report) -> list[Path]:
    """Write every image of the catalogue as an archive into `directory`."""
    with tempfile.TemporaryDirectory(prefix="podproof-packages-") as scratch:
        packages = _Packages(Path(scratch))
        shell = _shell_layer(packages)
        archives = []
        for image in CATALOGUE:
            report(f"image {image.names[0]}")
            layer = Layer()
            held = packages.closure(image.packages)
            if image.base:
                held = [name for name in held if name not in packages.closure(_SHELL_PACKAGES)]
            else:
                layer.directory("tmp", 0o1777)
            packages.add(layer, held)
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

    def add(self, layer: Layer, names: Sequence[str]) -> None:
        """Put the packages' files into the layer."""
        if not names:
            return
        folder = Path(tempfile.mkdtemp(dir=self._directory))
        for archive in debian.files(list(names), folder):
            with archive:
                layer.package(archive, debian.WITHOUT)
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
