"""What every cluster needs on top of the control plane: rights, DNS, a default StorageClass, metrics."""

from pathlib import Path
from typing import Any

import tenacity
import yaml

from podproof.errors import ClusterError
from podproof.kube.client import Api
from podproof.kube.kinds import Kind, Object

from . import pki, waits
from .catalogue import METRICS_SERVER
from .gobuild import Components

_CLUSTER_ROLE_BINDING = Kind(
    "ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False
)
_REVIEW = Kind("SubjectAccessReview", "authorization.k8s.io/v1", "subjectaccessreviews", namespaced=False)
_ADMINISTRATORS = "kubeadm:cluster-admins"
"""The group that kubeadm writes into the administrator's certificate."""


def grant_rights(api: Api) -> None:
    """Bind the roles that ``kubeadm init`` binds in phases that are of no use here."""
    bindings = {
        _ADMINISTRATORS: ("cluster-admin", {"kind": "Group", "name": _ADMINISTRATORS}),
        # kubeadm 1.37 gives this certificate no group, older ones a group of administrators.
        "podproof:apiserver-kubelet-client": (
            "system:kubelet-api-admin",
            {"kind": "User", "name": "kube-apiserver-kubelet-client"},
        ),
    }
    for name, (role, subject) in bindings.items():
        api.apply(
            _CLUSTER_ROLE_BINDING,
            None,
            {
                "apiVersion": _CLUSTER_ROLE_BINDING.api_version,
                "kind": _CLUSTER_ROLE_BINDING.name,
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [subject | {"apiGroup": "rbac.authorization.k8s.io"}],
            },
        )
    _await_rights(api)


def _await_rights(super_admin: Api) -> None:
    """Wait until the API server knows the administrators: it looks rights up in what it watches itself."""
    asked = {
        "apiVersion": _REVIEW.api_version,
        "kind": _REVIEW.name,
        "spec": {
            "user": "kubernetes-admin",
            "groups": [_ADMINISTRATORS, "system:authenticated"],
            "resourceAttributes": {"group": "*", "resource": "*", "verb": "*"},
        },
    }
    try:
        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda answer: not answer["status"].get("allowed")),
            stop=tenacity.stop_after_delay(waits.RIGHTS_KNOWN.patience),
            wait=tenacity.wait_fixed(waits.READYZ_INTERVAL_SECONDS),
        )(super_admin.create, _REVIEW, None, asked)
    except tenacity.RetryError:
        raise ClusterError(
            f"not within {waits.RIGHTS_KNOWN}: the API server does not let its administrators in"
        ) from None


def install_dns(components: Components, configuration: Path, kubeconfig: Path) -> None:
    """Install CoreDNS as kubeadm does."""
    pki.kubeadm(
        components.command("kubeadm"), "init", "phase", "addon", "coredns",
        f"--config={configuration}", f"--kubeconfig={kubeconfig}",
    )  # fmt: skip


def install_storage(api: Api, components: Components) -> None:
    """Apply local-path-provisioner's own manifest and make its StorageClass the default one."""
    manifest = components.file("local-path-provisioner", "local-path-storage.yaml")
    for document in yaml.safe_load_all(manifest.read_text()):
        if document:
            apply(api, _adapted(document))


def install_metrics(api: Api, components: Components) -> None:
    """Apply metrics-server's own manifests, whose labels and image its release adds."""
    for part in ("rbac", "service", "deployment", "apiservice"):
        manifest = components.file("metrics-server", f"{part}.yaml")
        for document in yaml.safe_load_all(manifest.read_text()):
            if document:
                apply(api, _as_released(document))


def _as_released(document: Object) -> Object:
    labels = {"k8s-app": "metrics-server"}
    spec: dict[str, Any] = document.get("spec", {})
    if document["kind"] == "Service":
        spec["selector"] = labels
    if document["kind"] == "Deployment":
        spec["selector"] = {"matchLabels": labels}
        spec["template"]["metadata"] = {"labels": labels}
        [container] = spec["template"]["spec"]["containers"]
        container["image"] = METRICS_SERVER
        arguments = [each for each in container["args"] if not each.startswith("--metric-resolution")]
        # As often as it can, and no request may outlast the time between two.
        frequent = ["--metric-resolution=10s", "--kubelet-request-timeout=5s"]
        # The kubelets' serving certificates are signed by the cluster's own authority.
        verify = "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
        container["args"] = [*arguments, *frequent, verify]
        # While an announced API does not answer, no namespace can be deleted: let it be ready at once.
        container["readinessProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1}
    return document


def _adapted(document: Object) -> Object:
    metadata: dict[str, Any] = document["metadata"]
    if document["kind"] == "StorageClass":
        metadata.setdefault("annotations", {})["storageclass.kubernetes.io/is-default-class"] = "true"
    return document


def apply(api: Api, document: Object) -> None:
    """Apply one object where it says it belongs."""
    kind = api.kind(document["apiVersion"], document["kind"])
    api.apply(kind, document["metadata"].get("namespace"), document)
