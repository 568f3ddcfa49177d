"""A cluster that somebody else runs, reached by a context that was named."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from podproof.errors import ClusterError
from podproof.kube.client import Api
from podproof.kube.kinds import NODE

from . import settings
from .base import Setting


class ExistingCluster:
    """A cluster by its context.

    Args:
        context: The context's name.
        kubeconfig: The file with that context; None for the files that kubectl would look in.
        victims: The Nodes that may be broken; whoever runs the cluster has to name them.

    Raises:
        ClusterError: There is no such file, context or Node, or nothing answers there.
    """

    provider = "existing"

    def __init__(self, context: str, kubeconfig: Path | None = None, victims: Sequence[str] = ()) -> None:
        self.victims = tuple(victims)
        self.name = self.context = context
        self.kubeconfig = kubeconfig or _file_with(context)
        api = Api.from_kubeconfig(self.kubeconfig, context)
        try:
            self.kubernetes_version = api.version().removeprefix("v")
            for node in self.victims:
                if api.find(NODE, None, node) is None:
                    raise ClusterError(f"context {context} has no Node {node}: kubectl get nodes lists them")
        finally:
            api.close()

    def settings(self) -> Mapping[str, Setting]:
        """The settings that bounds rest on: the kubelet's and the API server's as told, the rest assumed."""
        api = Api.from_kubeconfig(self.kubeconfig, self.context)
        try:
            return settings.read(api)
        finally:
            api.close()


def _file_with(context: str) -> Path:
    """The first file of ``$KUBECONFIG``, or else ``~/.kube/config``, that has this context."""
    listed = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    files = [Path(each) for each in listed.split(os.pathsep) if each]
    for file in files:
        if context in _contexts(file):
            return file
    raise ClusterError(
        f"no context {context} in {', '.join(map(str, files))}: kubectl config get-contexts lists "
        "those there are, --kubeconfig FILE names another file"
    )


def _contexts(file: Path) -> set[str]:
    try:
        document = yaml.safe_load(file.read_text())
        return {each["name"] for each in document["contexts"]}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError):
        return set()
