"""Directories of Nodes: made and looked into by a Pod on each Node that they are on, and removed again."""

from __future__ import annotations

from podproof.errors import CleanupError, TrialError
from podproof.kube import deadlines, files
from podproof.kube.cluster_objects import NODE_DIRECTORY
from podproof.kube.conditions import preparing
from podproof.kube.kinds import Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import PodReady

HOSTNAME = "kubernetes.io/hostname"
_MANIFEST = "persistent_volumes/node-directories"
_CONTAINER = "keeper"
_SEEN_AT = "/node"


class NodeDirectories:
    """What a scenario has below `NODE_DIRECTORY` on some Nodes.

    Every path that is asked about is as the Node has it.
    """

    def __init__(self, scene: Scene) -> None:
        """Prepare; nothing is on any Node yet."""
        self._scene = scene
        self._keepers: dict[str, Object] = {}
        self._own = scene.namespace.beyond.directory_of(f"{NODE_DIRECTORY}/all").removesuffix("/all")

    def make(self, node: Object, path: str) -> None:
        """Make a directory on a Node."""
        self._run(node, 'mkdir -p "$1"', path)

    def write(self, node: Object, path: str, text: str) -> None:
        """Write a file on a Node, and the directories above it."""
        self._run(node, 'mkdir -p "$(dirname "$1")"', path)
        files.write(self._scene.api, self._keeper(node), _CONTAINER, _seen(path), text)

    def read(self, node: Object, path: str) -> str | None:
        """What a file on a Node has, or None if there is none."""
        return files.read(self._scene.api, self._keeper(node), _CONTAINER, _seen(path))

    def use(self, node: Object) -> None:
        """Have what is made on a Node by somebody else removed in the end too."""
        self._keeper(node)

    def remove(self) -> None:
        """Remove everything again.

        Raises:
            CleanupError: Something is left; the text names the Node.
        """
        troubles = []
        for node, keeper in self._keepers.items():
            try:
                self._remove_from(node, keeper)
            except TrialError as error:  # the other Nodes are cleaned all the same
                troubles.append(str(error))
        if troubles:
            raise CleanupError("; ".join(troubles))

    def _remove_from(self, node: str, keeper: Object) -> None:
        with preparing(f"Pod {name(keeper)} is to clean up on Node {node}"):
            # Its Node may have been off.
            self._scene.recording.wait_until(PodReady(uid(keeper)), deadlines.NODE_BOOT)
        path = _seen(self._own)
        result = files.run(
            self._scene.api, keeper, _CONTAINER, 'rm -rf "$1"; [ ! -e "$1" ] || find "$1"', path
        )
        if not result.ok or result.stdout:
            left = result.stdout or result.stderr
            raise CleanupError(f"left on Node {node} in {self._own}: {' '.join(left.split())}")

    def _run(self, node: Object, script: str, path: str) -> None:
        files.must_run(self._scene.api, self._keeper(node), _CONTAINER, script, _seen(path))

    def _keeper(self, node: Object) -> Object:
        def change(pod: Object) -> None:
            pod["metadata"]["name"] += f"-{len(self._keepers) + 1}"
            pod["spec"]["nodeSelector"] = {HOSTNAME: node["metadata"]["labels"][HOSTNAME]}

        if name(node) not in self._keepers:
            self._keepers[name(node)] = self._scene.start_pod(_MANIFEST, change)
        return self._keepers[name(node)]


def _seen(path: str) -> str:
    """A Node's path as its keeper sees it."""
    return _SEEN_AT + path.removeprefix(NODE_DIRECTORY)
