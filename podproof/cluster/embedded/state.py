"""What is written down about a running cluster, for the commands that come after the one that started it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .paths import ClusterPaths, state_directory


@dataclass(frozen=True)
class State:
    """A running cluster.

    Attributes:
        kubernetes_version: Full version.
        node_count: How many Nodes.
        index: Which addresses it has.
        owner: The process whose end it does not outlive, None if it stays until `podproof down`.
        complete: Whether its start came to a good end.
        components: The directory of each component that it runs.
        origin: Where Kubernetes' own come from: ``build``, ``release`` or a directory.
        fingerprint: Names what that directory had; else empty.
        flags: The components' flags that it was started with, ``COMPONENT.FLAG=VALUE``.
    """

    kubernetes_version: str
    node_count: int
    index: int
    owner: int | None
    complete: bool
    components: Mapping[str, str]
    origin: str = "build"
    fingerprint: str = ""
    flags: Sequence[str] = ()

    def at(self, index: int) -> "State":
        """The same cluster, with these addresses."""
        return replace(self, index=index)

    def kept(self) -> "State":
        """The same cluster, nobody's in particular."""
        return replace(self, owner=None)

    def completed(self) -> "State":
        """The same cluster, its start come to a good end."""
        return replace(self, complete=True)

    def write(self, paths: ClusterPaths) -> None:
        """Write it down, all or nothing."""
        new = paths.state.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), indent=2) + "\n")
        new.replace(paths.state)


def read(paths: ClusterPaths) -> State | None:
    """What is written down, or None if that is nothing or nothing that this version understands."""
    try:
        return State(**json.loads(paths.state.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def every_name() -> list[str]:
    """The names of all clusters that have left anything behind, sorted."""
    root: Path = state_directory()
    try:
        return sorted(path.name for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
