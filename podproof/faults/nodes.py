"""Switching Nodes off and on again."""

from __future__ import annotations

from typing import cast

from podproof.cluster.base import Cluster, PowerSwitch
from podproof.faults.pods import Incident, before
from podproof.kube.kinds import Object
from podproof.kube.scene import Scene


def reboot(cluster: Cluster, scene: Scene, pod: Object) -> Incident:
    """Cut the power of a Pod's Node and give it back.

    Returns when the Node is Ready again. That it was off shows in the Pod: its containers start anew, which
    they do for no other reason here.

    The cluster must have a power switch (`capabilities.POWER_SWITCH`).

    Raises:
        ClusterError: The Node did not come back.
    """
    switch = cast(PowerSwitch, cluster)
    node = pod["spec"]["nodeName"]
    incident = before(scene, pod)
    try:
        switch.power_off(node)
    finally:
        switch.power_on(node)
    return incident
