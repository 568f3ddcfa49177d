"""Whether a cluster measures what its Nodes and Pods use, and tells: the API that autoscalers ask."""

from __future__ import annotations

import tenacity

from podproof.cluster.base import Cluster
from podproof.kube import deadlines
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import Kind, Object

API_SERVICE = Kind("APIService", "apiregistration.k8s.io/v1", "apiservices", namespaced=False)
NODE_METRICS = Kind("NodeMetrics", "metrics.k8s.io/v1beta1", "nodes", namespaced=False)
POD_METRICS = Kind("PodMetrics", "metrics.k8s.io/v1beta1", "pods")

_PAUSE = 1.0
"""Seconds between two questions: what is measured cannot be watched."""


def are_given(_: Cluster, api: Api) -> bool:
    """Whether the metrics API gives values; one that has just been installed is given time for its first."""
    if api.find(API_SERVICE, None, "v1beta1.metrics.k8s.io") is None:
        return False
    asking = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda given: not given),
        stop=tenacity.stop_after_delay(deadlines.METRICS_MEASURED.patience),
        wait=tenacity.wait_fixed(_PAUSE),
        retry_error_callback=lambda _: False,
    )
    return bool(asking(_gives_values, api))


def cpu_of(api: Api, namespace: str, pod: str) -> float | None:
    """The CPU time that a Pod used per second when that was last measured; None if it never was."""
    measured = api.find(POD_METRICS, namespace, pod)
    return sum(quantity(each["usage"]["cpu"]) for each in measured["containers"]) if measured else None


def quantity(text: str) -> float:
    """The number that Kubernetes writes as text: ``"250m"`` is 0.25; binary units are left out.

    Source: kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.
    """
    units = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}
    return float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)


def _gives_values(api: Api) -> bool:
    try:
        measured: list[Object] = api.list(NODE_METRICS, None)["items"]
    except ApiError as error:
        if error.status in {404, 503}:  # announced, and not there
            return False
        raise
    return bool(measured)
