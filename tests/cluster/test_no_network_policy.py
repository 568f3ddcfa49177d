"""A cluster that was not asked to enforce NetworkPolicies is found out by the same trial."""

import pytest

from podproof.cluster import network_policy
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.errors import ClusterError
from podproof.kube.client import Api

from .lives import trials


def test_a_cluster_that_does_not_enforce_is_found_out(cluster: EmbeddedCluster, api: Api) -> None:
    assert network_policy.is_enforced(cluster, api) is False
    assert trials(api) == []
    assert not cluster.network_policy
    with pytest.raises(ClusterError, match="was started without --network-policy: podproof down"):
        EmbeddedCluster(cluster.name, network_policy=True).up()
