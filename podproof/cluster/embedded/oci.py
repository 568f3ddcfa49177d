"""Writing OCI image archives, the format that `ctr images import` takes.

Format: the OCI image layout specification 1.0, https://github.com/opencontainers/image-spec.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Layer:
    """A file system layer under construction, as an uncompressed tar; the same input gives the same bytes."""

    _buffer: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self._tar = tarfile.open(fileobj=self._buffer, mode="w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
        self._seen: set[str] = set()

    def directory(self, name: str, mode: int = 0o755) -> None:
        """Add a directory, and those above it."""
        parts = Path(name).parts
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path in self._seen:
                continue
            self._seen.add(path)
            entry = tarfile.TarInfo(path)
            entry.type = tarfile.DIRTYPE
            entry.mode = mode if depth == len(parts) else 0o755
            self._tar.addfile(entry)

    def file(self, name: str, content: Path | bytes, mode: int = 0o755) -> None:
        """Add a regular file, owned by root."""
        self._parent(name)
        entry = tarfile.TarInfo(name)
        entry.mode = mode
        data = content if isinstance(content, bytes) else content.read_bytes()
        entry.size = len(data)
        self._add(entry, io.BytesIO(data))

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._parent(name)
        entry = tarfile.TarInfo(name)
        entry.type = tarfile.SYMTYPE
        entry.linkname = target
        self._add(entry, None)

    def package(self, tar: tarfile.TarFile, leave_out: Sequence[str]) -> None:
        """Add the files of a Debian package, but for those below the paths in `leave_out`."""
        for member in tar:
            name = member.name.removeprefix("./").rstrip("/")
            if not name or name == "." or any(f"{name}/".startswith(f"{prefix}/") for prefix in leave_out):
                continue
            if member.isdir():
                self.directory(_merged(name), member.mode)
                continue
            if not (member.isreg() or member.issym() or member.islnk()):
                continue
            entry = tarfile.TarInfo(_merged(name))
            entry.type, entry.mode, entry.size = member.type, member.mode, member.size
            entry.linkname = (
                _merged(member.linkname.removeprefix("./")) if member.islnk() else member.linkname
            )
            self._parent(entry.name)
            self._add(entry, tar.extractfile(member) if member.isreg() else None)

    def finish(self) -> bytes:
        """The layer's bytes; nothing can be added after."""
        self._tar.close()
        return self._buffer.getvalue()

    def _parent(self, name: str) -> None:
        parent = str(Path(name).parent)
        if parent != ".":
            self.directory(parent)

    def _add(self, entry: tarfile.TarInfo, content: Any) -> None:
        if entry.name not in self._seen:
            self._seen.add(entry.name)
            self._tar.addfile(entry, content)


def _merged(name: str) -> str:
    """Where a path of a package lies in a file system whose /bin, /sbin and /lib are links into /usr."""
    top = name.split("/", 1)[0]
    return f"usr/{name}" if top in {"bin", "sbin", "lib", "lib64"} else name


def write_archive(
    path: Path,
    names: Sequence[str],
    layers: Sequence[bytes],
    entrypoint: Sequence[str],
    command: Sequence[str] = (),
) -> None:
    """Write an archive with one image under several names.

    Args:
        path: The archive, a tar.
        names: Full references, registry and tag included.
        layers: Uncompressed tars, the lowest first.
        entrypoint: What the image runs.
        command: The entrypoint's default arguments.
    """
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = _json(
        {
            "architecture": machine,
            "os": "linux",
            "config": {"Entrypoint": list(entrypoint), "Cmd": list(command), "Env": [_SEARCH_PATH]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer) for layer in layers],
        }
    )
    described = _descriptor("application/vnd.oci.image.manifest.v1+json", manifest)
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [described | {"annotations": {"io.containerd.image.name": name}} for name in names],
    }
    with tarfile.open(path, "w") as archive:
        _store(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _store(archive, "index.json", _json(index))
        for blob in dict.fromkeys((*layers, config, manifest)):
            _store(archive, f"blobs/sha256/{_digest(blob)[7:]}", blob)


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _store(archive: tarfile.TarFile, name: str, blob: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(blob)
    archive.addfile(entry, io.BytesIO(blob))
