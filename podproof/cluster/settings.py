"""Reading a cluster's own settings from the cluster, as far as it tells them."""

from collections.abc import Mapping
from typing import Any

from podproof.errors import PodproofError
from podproof.kube.client import Api
from podproof.kube.kinds import NODE, POD, Kind, Object

from . import dns
from .base import Setting

_CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")

_KUBELET = (
    "nodeStatusUpdateFrequency",
    "nodeStatusReportFrequency",
    "nodeLeaseDurationSeconds",
    "syncFrequency",
)
"""Fields of KubeletConfiguration that bounds rest on."""

_UNREACHABLE = {
    "node.kubernetes.io/not-ready": "default-not-ready-toleration-seconds",
    "node.kubernetes.io/unreachable": "default-unreachable-toleration-seconds",
}
"""Taints of a lost Node, and the API server's flag for how long a Pod tolerates each."""

_DOCUMENTED = {
    "node-monitor-period": ("5s", "kube-controller-manager --node-monitor-period"),
    "node-monitor-grace-period": ("50s", "kube-controller-manager --node-monitor-grace-period, since 1.32"),
    "node-eviction-rate": ("0.1", "kube-controller-manager --node-eviction-rate"),
    "horizontal-pod-autoscaler-sync-period": (
        "15s",
        "kube-controller-manager --horizontal-pod-autoscaler-sync-period",
    ),
    "metric-resolution": ("15s", "metrics-server --metric-resolution, as released"),
    "default-not-ready-toleration-seconds": ("300", "kube-apiserver --default-not-ready-toleration-seconds"),
    "default-unreachable-toleration-seconds": (
        "300",
        "kube-apiserver --default-unreachable-toleration-seconds",
    ),
    "nodeStatusUpdateFrequency": ("10s", "KubeletConfiguration"),
    "nodeStatusReportFrequency": ("5m0s", "KubeletConfiguration"),
    "nodeLeaseDurationSeconds": ("40", "KubeletConfiguration"),
    "syncFrequency": ("1m0s", "KubeletConfiguration"),
    "coredns-cache": ("30s", "CoreDNS, ttl and cache of the Corefile that kubeadm writes"),
}
"""What holds where a cluster does not tell: its command lines' reference, kubernetes.io/docs/reference."""


def read(api: Api, controller_manager: Mapping[str, Any] | None = None) -> dict[str, Setting]:
    """Return the settings by upstream's name; what the cluster does not tell is its documented default.

    Args:
        api: The cluster's API server.
        controller_manager: The controller manager's own account of its configuration, where it can be asked.
    """
    found = {
        name: Setting(value, f"{origin}, its documented default", assumed=True)
        for name, (value, origin) in _DOCUMENTED.items()
    }
    told = _from_kubelet(api) | _from_admission(api) | _from_dns(api)
    return found | told | _from_controllers(controller_manager or {})


def _from_kubelet(api: Api) -> dict[str, Setting]:
    """Ask the first Node's kubelet, by way of the API server; one that refuses leaves them assumed."""
    try:
        nodes = api.list(NODE, None)["items"]
        if not nodes:
            return {}
        node = nodes[0]["metadata"]["name"]
        told = api.request("GET", f"/api/v1/nodes/{node}/proxy/configz")["kubeletconfig"]
    except (PodproofError, KeyError):
        return {}
    return {
        name: Setting(str(told[name]), f"kubelet of {node}, /configz") for name in _KUBELET if name in told
    }


def _from_admission(api: Api) -> dict[str, Setting]:
    """See what the API server adds to a Pod that is created in a dry run, which stores nothing."""
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "podproof-dry-run"},
        "spec": {"containers": [{"name": "none", "image": "none"}]},
    }
    try:
        admitted = api.request("POST", POD.path("default"), query={"dryRun": "All"}, body=pod)
    except PodproofError:
        return {}
    return {
        _UNREACHABLE[each["key"]]: Setting(
            str(each["tolerationSeconds"]),
            f"kube-apiserver, tolerations of a Pod in a dry run: {each['key']}",
        )
        for each in admitted["spec"].get("tolerations", ())
        if each.get("key") in _UNREACHABLE and "tolerationSeconds" in each
    }


def _from_dns(api: Api) -> dict[str, Setting]:
    """How long CoreDNS goes on giving an answer that it gave before, by the configuration that it has."""
    try:
        corefile = api.get(_CONFIG_MAP, "kube-system", "coredns")["data"]["Corefile"]
    except (PodproofError, KeyError):
        return {}
    seconds = dns.cache_time(corefile)
    if seconds is None:
        return {}
    return {"coredns-cache": Setting(f"{seconds}s", "CoreDNS, ttl and cache of its Corefile")}


def _from_controllers(told: Mapping[str, Any]) -> dict[str, Setting]:
    lifecycle = told.get("NodeLifecycleController", {})
    common = told.get("KubeCloudShared", {})
    values = {
        "node-monitor-grace-period": lifecycle.get("NodeMonitorGracePeriod"),
        # It has been told with either.
        "node-monitor-period": lifecycle.get("NodeMonitorPeriod") or common.get("NodeMonitorPeriod"),
        "node-eviction-rate": lifecycle.get("NodeEvictionRate"),
        "horizontal-pod-autoscaler-sync-period": told.get("HPAController", {}).get(
            "HorizontalPodAutoscalerSyncPeriod"
        ),
    }
    return {
        name: Setting(str(value), "kube-controller-manager, /configz")
        for name, value in values.items()
        if value
    }
