"""The few system calls about mounts that Python does not offer: mount(2), mount_setattr(2), pivot_root(2)."""

import ctypes
import os
import platform
from pathlib import Path

BIND = 4096
RECURSIVE = 16384
PRIVATE = 1 << 18
SHARED = 1 << 20
DETACH = 2

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
"""The C library has no wrapper for it: its number on each architecture (syscalls(2))."""

_MOUNT_SETATTR = 442
"""The same on every architecture; the only way to make mounts read-only with all below them (Linux 5.12)."""

_HERE, _AT_RECURSIVE, _RDONLY = -100, 0x8000, 1
"""AT_FDCWD, AT_RECURSIVE and MOUNT_ATTR_RDONLY."""

_libc = ctypes.CDLL(None, use_errno=True)


def mount(
    source: str | Path, target: str | Path, kind: str | None = None, flags: int = 0, data: str = ""
) -> None:
    """Mount `source` on `target`.

    Raises:
        OSError: As mount(2).
    """
    result = _libc.mount(
        str(source).encode(),
        str(target).encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode(),
    )
    _check(result, target)


def bind(source: str | Path, target: str | Path, *, read_only: bool = False) -> None:
    """Show `source`, and what is mounted below it, at `target` too."""
    mount(source, target, flags=BIND | RECURSIVE)
    if read_only:
        attributes = _Attributes(attr_set=_RDONLY)
        result = _libc.syscall(
            _MOUNT_SETATTR,
            _HERE,
            str(target).encode(),
            _AT_RECURSIVE,
            ctypes.byref(attributes),
            ctypes.sizeof(attributes),
        )
        _check(result, target)


class _Attributes(ctypes.Structure):
    """struct mount_attr, mount_setattr(2)."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def propagate(target: str | Path, how: int) -> None:
    """Set how mounts below `target` spread to other namespaces: `PRIVATE` or `SHARED`."""
    mount("none", target, flags=how | RECURSIVE)


def change_root(root: Path) -> None:
    """Make `root`, a mount point, the root of this mount namespace, and let go of the old one.

    Raises:
        OSError: As pivot_root(2).
    """
    os.chdir(root)
    _check(_libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b"."), root)
    # Both calls are about ".": the old root lies over the new one until it is let go (pivot_root(2)).
    _check(_libc.umount2(b".", DETACH), root)
    os.chdir("/")


def _check(result: int, path: str | Path) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
