"""A containerd store that already holds every image.

Importing images into each Node takes seconds per Node, so it is done once: a containerd of its own imports or
pulls them into a template, and each Node gets a copy in which the files that never change are hard links.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from podproof.errors import ComponentError, MachineError

from . import containerd, images, waits
from .gobuild import Components
from .gotool import last_line
from .paths import cache_directory, cache_lock
from .progress import Report
from .ready import ReadySocket

_Ctr = Callable[..., None]
"""Runs containerd's own client with these arguments."""


def template(components: Components, report: Report) -> Path:
    """Return the template store for these components, made now if it is not in the cache.

    Raises:
        ComponentError: The images could not be had.
        UsageError: The environment asks for them in a way that there is none of.
    """
    stores = cache_directory() / "stores"
    wanted = images.sources()
    for source in wanted:
        if (stores / images.key(components, source)).exists():
            return stores / images.key(components, source)
    source = wanted[0] if len(wanted) == 1 else images.reachable_source(report)
    target = stores / images.key(components, source)
    stores.mkdir(parents=True, exist_ok=True)
    with cache_lock(f"store-{target.name}"):
        if target.exists():
            return target
        # Under the lock nobody else makes this, so what lies here was left by one that was killed.
        building = target.with_name(f".building-{target.name}")
        shutil.rmtree(building, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="podproof-images-") as scratch:
            _fill(components, source, building, Path(scratch), report)
        building.rename(target)
    return target


def copy(template_store: Path, target: Path) -> None:
    """Give a Node its own store: databases copied, everything else hard-linked.

    containerd never writes to a stored blob or to a committed snapshot, and overlayfs copies a file before a
    container changes it, so sharing them is safe.
    """
    shutil.copytree(template_store, target, symlinks=True, copy_function=_link_or_copy, dirs_exist_ok=True)


def _link_or_copy(source: str, target: str) -> str:
    if source.endswith(".db"):
        return shutil.copy2(source, target)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # the cache is on another file system
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _fill(components: Components, source: str, root: Path, scratch: Path, report: Report) -> None:
    pulled = images.public_names() if source == images.PULL else []
    try:
        archives = images.write_archives(components, scratch, report, public=not pulled)
    except MachineError as error:
        if not pulled:
            raise
        report(f"without the images that no registry has: {error}")
        archives = []
    with _running(components, root, scratch) as ctr:
        for name in pulled:
            report(f"pulling {name}")
            ctr(f"image {name} cannot be pulled", "pull", *images.pull_options(), name)
        for archive in archives:
            report(f"importing {archive.stem}")
            ctr(f"image {archive.stem} cannot be imported", "import", str(archive))


@contextlib.contextmanager
def _running(components: Components, root: Path, scratch: Path) -> Iterator[_Ctr]:
    """Run a containerd on the store at `root`, and give its client."""
    state = scratch / "run"
    config = scratch / "containerd.toml"
    config.write_text(
        containerd.configuration(
            components, root=str(root), state=str(state), cni_configuration=str(scratch / "cni")
        )
    )
    ready = ReadySocket(scratch / "ready")
    log = scratch / "containerd.log"
    # It ends with us, and its mounts are its own, so that nothing is left if we are killed.
    namespaces = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "--",
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
    ]
    path = f"{components.directory('containerd')}:{os.environ.get('PATH', '')}"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [*namespaces, str(components.command("containerd")), "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | {"NOTIFY_SOCKET": str(ready.path), "PATH": path},
        )

    def ctr(failure: str, *arguments: str) -> None:
        address = ["--address", str(state / "containerd.sock"), "--namespace", "k8s.io"]
        done = subprocess.run(
            [str(components.command("ctr")), *address, "images", *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise ComponentError(f"{failure}: {last_line(done.stderr)}")

    try:
        if not ready.wait(waits.STORE_SECONDS):
            raise ComponentError(f"containerd did not start to store images: {last_line(log.read_text())}")
        yield ctr
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        try:
            daemon.wait(waits.STORE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
