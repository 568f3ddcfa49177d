"""Finding a Go tool that can build the components, and asking it things."""

import functools
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from podproof.errors import ComponentError, MachineError

from .paths import cache_directory, cache_lock

BOOTSTRAP = "1.26.8"
"""The Go that is fetched as a module where the machine's own is too old to fetch one by itself."""

_SELF_UPGRADING = (1, 21)
"""From here on, the Go tool fetches the newer toolchain that a go.mod asks for (go.dev/doc/toolchain)."""


def environment(go: Path, **extra: str) -> dict[str, str]:
    """The environment for one call of the Go tool: the user's caches and proxy, our flags."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"GOFLAGS", "GOWORK", "GO111MODULE"}
    }
    return (
        kept
        | {
            "PATH": f"{go.parent}:{os.environ.get('PATH', '')}",
            # GOFLAGS in the environment wins over what the user's `go env -w` says.
            "GOFLAGS": "-mod=mod",
            "GOWORK": "off",
            "GOTOOLCHAIN": "auto",
        }
        | extra
    )


def run(
    arguments: list[str], *, directory: Path | None = None, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the Go tool to its end and return what it printed; the caller looks at the exit status."""
    go = find()
    return subprocess.run(
        [str(go), *arguments],
        cwd=directory or "/",  # not where the user is: that may be a module of theirs
        env=environment(go, **(extra or {})),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def ask(arguments: list[str], *, directory: Path | None = None) -> Any:
    """Run a Go command that prints one JSON document, and return it.

    Raises:
        ComponentError: The command failed; the text is the reason, on one line.
    """
    done = run(arguments, directory=directory)
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        answer = {}
    if done.returncode or (isinstance(answer, dict) and answer.get("Error")):
        reason = answer.get("Error") if isinstance(answer, dict) else None
        raise ComponentError(" ".join(str(reason or last_line(done.stderr)).split()))
    return answer


_LONGEST = 400
"""Characters of a program's words that fit into one clear line."""


def last_line(text: str) -> str:
    """The last line that says something, with what it continues, cut to a length that can be read."""
    words: list[str] = []
    for line in reversed(text.splitlines()):
        if line.strip():
            words.insert(0, line.strip())
            if not line[0].isspace():
                break
    line = " ".join(words) or "no output"
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."


@functools.cache
def find() -> Path:
    """Return a Go tool that can build every component.

    Raises:
        MachineError: There is none on PATH.
    """
    found = shutil.which("go")
    if not found and Path("/usr/local/go/bin/go").exists():  # where go.dev's own archive is unpacked
        found = "/usr/local/go/bin/go"
    if not found:
        raise MachineError("no Go tool on PATH to build Kubernetes with: apt-get install golang-go")
    go = Path(found)
    if version_of(go) >= _SELF_UPGRADING:
        return go
    return _bootstrap(go)


def version_of(go: Path) -> tuple[int, int]:
    """The major and minor version of a Go tool."""
    # `go env` obeys GOTOOLCHAIN; asked outside of any module it tells its own version.
    done = subprocess.run(
        [str(go), "version"], capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL
    )
    match = re.search(r"\bgo(\d+)\.(\d+)", done.stdout)
    if not match:
        raise MachineError(
            f"{go} does not run ({last_line(done.stderr)}): install Go again, or take it off PATH"
        )
    return int(match[1]), int(match[2])


def _bootstrap(old: Path) -> Path:
    """Have an old Go fetch a newer one, which the module proxy serves as a module like any other.

    Modules are stored without execute permission, so the files are linked into our cache and given it there.
    """
    target = cache_directory() / f"go-{BOOTSTRAP}"
    if (target / "bin" / "go").exists():
        return target / "bin" / "go"
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    module = f"golang.org/toolchain@v0.0.1-go{BOOTSTRAP}.linux-{machine}"
    done = subprocess.run(
        [str(old), "mod", "download", "-json", module],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        stdin=subprocess.DEVNULL,
    )
    try:
        source = Path(json.loads(done.stdout)["Dir"])
    except (json.JSONDecodeError, KeyError):
        raise MachineError(
            f"{old} is too old to build Kubernetes and could not fetch Go {BOOTSTRAP} "
            f"({last_line(done.stderr or done.stdout)}): install a newer Go"
        ) from None
    with cache_lock(target.name):
        if target.exists():
            return target / "bin" / "go"
        building = target.with_name(f".building-{target.name}")
        shutil.rmtree(building, ignore_errors=True)
        shutil.copytree(source, building, symlinks=True)
        for folder in ("bin", "pkg/tool"):
            for file in (building / folder).rglob("*"):
                file.chmod(0o755)
        building.rename(target)
    return target / "bin" / "go"
