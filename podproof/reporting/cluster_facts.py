"""What a cluster says of itself, for the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podproof.verdicts.results import ClusterFacts, NodeFact, SettingFact

if TYPE_CHECKING:
    from podproof.cluster.base import Cluster


def cluster_facts(cluster: Cluster) -> ClusterFacts:
    """Ask the cluster for its version and Nodes, and read its settings.

    Raises:
        PodproofError: It cannot be reached.
    """
    from podproof.kube.client import Api
    from podproof.kube.kinds import NODE

    api = Api.from_kubeconfig(cluster.kubeconfig, cluster.context)
    try:
        nodes = api.list(NODE, None)["items"]
        version = api.version()
    finally:
        api.close()
    return ClusterFacts(
        name=cluster.name,
        provider=cluster.provider,
        version=version,
        context=cluster.context,
        nodes=tuple(
            NodeFact(
                name=node["metadata"]["name"],
                version=node["status"]["nodeInfo"]["kubeletVersion"],
                victim=node["metadata"]["name"] in cluster.victims,
            )
            for node in nodes
        ),
        settings={
            name: SettingFact(setting.value, setting.origin, setting.assumed)
            for name, setting in cluster.settings().items()
        },
    )
