"""The first process of a machine: furnishes its namespaces, then supervises its programs as init would.

Run as ``python -m podproof.cluster.embedded.init PLAN`` as process 1 of new PID, mount, network, IPC and UTS
namespaces. It says ``ready`` on a file descriptor once these exist, waits until the other end has given
the machine its network, makes the machine's disk its root, and becomes supervisord.
"""

import json
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from . import mounts

KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""Settings of the whole kernel that every kubelet changes unless it finds them as it wants them
(pkg/kubelet/cm/container_manager_linux.go). A machine is shown files that say so; the host stays as it is."""

_PROGRAMS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr")
"""Top-level directories of the host that a machine sees, read-only."""

_DEVICES = ("dev", "sys")
"""Those that a kubelet writes to: devices and control groups."""

_CONFIGURATION = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "nsswitch.conf",
    "protocols",
    "services",
)
"""What programs need of the host's /etc; the rest of it is the host's own business."""

_USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
_GROUPS = "root:x:0:\nnogroup:x:65534:\n"


def furnish(disk: Path, needed: list[str]) -> None:
    """Make `disk` the root of this mount namespace, with the host's programs and none of its data.

    Args:
        disk: A directory of a real file system; what the machine writes stays in it, also over a power-off.
        needed: Further paths of the host to show, read-only, where the host has them.
    """
    mounts.propagate("/", mounts.PRIVATE)
    mounts.bind(disk, disk)
    for top in (*_PROGRAMS, *_DEVICES):
        source, target = Path("/") / top, disk / top
        if source.is_symlink():
            if not target.is_symlink():
                target.symlink_to(source.readlink())
        elif source.is_dir():
            target.mkdir(exist_ok=True)
            mounts.bind(source, target, read_only=top in _PROGRAMS)
    for own in ("etc", "proc", "run", "tmp", "mnt", "opt", "root", "var/lib", "var/log", "var/tmp"):
        (disk / own).mkdir(parents=True, exist_ok=True)
    _write_configuration(disk / "etc")
    (disk / "tmp").chmod(0o1777)
    (disk / "var/tmp").chmod(0o1777)
    mounts.mount("proc", disk / "proc", "proc")
    mounts.mount("tmpfs", disk / "run", "tmpfs", data="mode=755")
    for path in needed:
        target = disk / path.lstrip("/")
        if target.exists() and target.samefile(path):
            continue  # it lies below a directory that is shown already
        target.mkdir(parents=True, exist_ok=True)
        mounts.bind(path, target, read_only=True)
    _show_kernel_settings(disk)
    mounts.change_root(disk)
    # The kubelet's mounts for containers must reach containerd and back.
    mounts.propagate("/", mounts.SHARED)


def _write_configuration(target: Path) -> None:
    """Give the machine an /etc of its own."""
    for name in _CONFIGURATION:
        source = Path("/etc") / name
        if source.is_dir():
            (target / name).mkdir(exist_ok=True)
            mounts.bind(source, target / name, read_only=True)
        elif source.exists():
            shutil.copy2(source, target / name)
    (target / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    (target / "resolv.conf").write_text("")
    (target / "passwd").write_text(_USERS)
    (target / "group").write_text(_GROUPS)
    if not (target / "os-release").is_symlink():
        (target / "os-release").symlink_to("../usr/lib/os-release")


def _show_kernel_settings(disk: Path) -> None:
    shown = disk / "run" / "kernel-settings"
    for name, wanted in KERNEL_SETTINGS.items():
        setting = disk / "proc/sys" / name
        if setting.exists() and setting.read_text().strip() != wanted:
            file = shown / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted + "\n")
            mounts.bind(file, setting)


def main(plan_file: str) -> None:
    """Furnish the machine that the plan describes and supervise its programs for good."""
    plan: dict[str, Any] = json.loads(Path(plan_file).read_text())
    status, go = int(os.environ.pop("PODPROOF_STATUS_FD")), int(os.environ.pop("PODPROOF_GO_FD"))
    # Imported while the host's files are still in sight.
    from supervisor import rpcinterface, supervisord  # noqa: F401

    socket.sethostname(plan["hostname"])
    os.write(status, b"ready\n")
    if not os.read(go, 1):
        sys.exit("the process that was starting this machine is gone")
    os.close(go)
    furnish(Path(plan["disk"]), plan["needed"])
    for name in plan["forget"]:
        Path(name).unlink(missing_ok=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    os.write(status, b"furnished\n")
    os.close(status)
    os.environ["PATH"] = plan["path"]
    supervisord.main(["--nodaemon", "--configuration", plan["supervisor"]])


if __name__ == "__main__":
    main(sys.argv[1])
