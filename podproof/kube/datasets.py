"""Several files with their checksums, to see whether every byte of them is there later."""

from __future__ import annotations

from podproof.kube import files
from podproof.kube.client import Api
from podproof.kube.kinds import Object

Dataset = dict[str, str]
"""The SHA-256 of each file in hexadecimal digits, by its path below the directory."""

# One of no content, one of a line, one of a megabyte, one deep down, one with a strange name, one that was
# appended to and renamed; each is on its disk before the command ends.
_WRITE = """
set -eu
mkdir -p "$1/deep/down"
cd "$1"
fresh() { dd if=/dev/urandom bs=4096 count="$1" conv=fsync 2>/dev/null; }
: >empty
echo "$2" >line
fresh 256 >megabyte
fresh 1 >deep/down/file
fresh 3 >"a name; with $ and spaces"
fresh 1 >unfinished
fresh 1 >>unfinished
mv unfinished finished
sync
"""

_SUM = 'cd "$1" 2>/dev/null || exit 0; find . -type f -exec sha256sum {} +'


def write(api: Api, pod: Object, container: str, directory: str, word: str) -> Dataset:
    """Write files of random content below a new directory, have them on their disk, and read them back.

    Raises:
        TrialError: They cannot be written.
    """
    files.must_run(api, pod, container, _WRITE, directory, word)
    return read(api, pod, container, directory)


def read(api: Api, pod: Object, container: str, directory: str) -> Dataset:
    """The files below a directory as they are now; none if there is no such directory.

    Raises:
        TrialError: They cannot be read.
    """
    listed = files.must_run(api, pod, container, _SUM, directory)
    return {path.removeprefix("./"): total for total, path in map(_parts, listed.splitlines())}


def differences(wanted: Dataset, found: Dataset) -> str:
    """What is missing, changed or new, in words; empty if nothing is."""
    told = [f"{path} is missing" for path in sorted(wanted.keys() - found.keys())]
    told += [f"{path} is another file" for path in sorted(found.keys() - wanted.keys())]
    told += [
        f"{path} has changed" for path in sorted(wanted.keys() & found.keys()) if wanted[path] != found[path]
    ]
    return ", ".join(told)


def _parts(line: str) -> tuple[str, str]:
    total, _, path = line.partition("  ")
    return total, path
