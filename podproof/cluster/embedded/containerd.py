"""containerd's configuration, and a store that already holds every image.

Importing images into each Node takes seconds per Node, so it is done once: a containerd of its own imports
them into a template, and each Node gets a copy of it in which the files that never change are hard links.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import filelock

from podproof.errors import ComponentError

from . import images
from .gobuild import Components
from .gotool import last_line
from .paths import cache_directory
from .progress import Report
from .ready import ReadySocket

_START_SECONDS = 30.0
"""How long containerd may take to say that it is ready; it takes less than one on an idle machine."""


def configuration(components: Components, *, root: str, state: str, cni_configuration: str) -> str:
    """The text of a containerd configuration, version 3.

    Args:
        components: Where runc and the CNI plugins are.
        root: What outlives a restart: images and snapshots.
        state: What does not; the socket is in it.
        cni_configuration: The directory of the Pod network's configuration.
    """
    return f"""\
version = 3
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
address = "{state}/containerd.sock"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{images.PAUSE}"

[plugins."io.containerd.cri.v1.runtime"]
# A machine may withhold CAP_SYS_RESOURCE, without which no score can be lowered.
restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{components.directory("cni-plugins")}"]
conf_dir = "{cni_configuration}"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{components.command("runc")}"
"""


def template(components: Components, report: Report) -> Path:
    """Return the template store for these components, made now if it is not in the cache.

    Raises:
        ComponentError: The images could not be made or imported.
    """
    target = cache_directory() / "stores" / images.key(components)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    locks = cache_directory() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(locks / f"store-{target.name}.lock"):
        if target.exists():
            return target
        # Under the lock nobody else makes this, so what lies here was left by one that was killed.
        building = target.with_name(f".building-{target.name}")
        shutil.rmtree(building, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="podproof-images-") as scratch:
            archives = images.write_archives(components, Path(scratch), report)
            _import(components, archives, building, Path(scratch), report)
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


def _import(components: Components, archives: list[Path], root: Path, scratch: Path, report: Report) -> None:
    state = scratch / "run"
    config = scratch / "containerd.toml"
    config.write_text(
        configuration(components, root=str(root), state=str(state), cni_configuration=str(scratch / "cni"))
    )
    ready = ReadySocket(scratch / "ready")
    log = scratch / "containerd.log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            # Its mounts are its own, so that none is left if it is killed.
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--",
                str(components.command("containerd")),
                "--config",
                str(config),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ
            | {
                "NOTIFY_SOCKET": str(ready.path),
                "PATH": f"{components.directory('containerd')}:{os.environ.get('PATH', '')}",
            },
        )
        try:
            if not ready.wait(_START_SECONDS):
                raise ComponentError(
                    f"containerd did not start to import images: {last_line(log.read_text())}"
                )
            for archive in archives:
                report(f"importing {archive.stem}")
                done = subprocess.run(
                    [
                        str(components.command("ctr")),
                        "--address",
                        str(state / "containerd.sock"),
                        "--namespace",
                        "k8s.io",
                        "images",
                        "import",
                        str(archive),
                    ],
                    capture_output=True,
                    text=True,
                    check=False,
                    stdin=subprocess.DEVNULL,
                )
                if done.returncode:
                    raise ComponentError(f"image {archive.stem} cannot be imported: {last_line(done.stderr)}")
        finally:
            os.killpg(daemon.pid, signal.SIGTERM)
            try:
                daemon.wait(_START_SECONDS)
            finally:
                os.killpg(daemon.pid, signal.SIGKILL) if daemon.poll() is None else None
