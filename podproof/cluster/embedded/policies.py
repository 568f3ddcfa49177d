"""Enforcing NetworkPolicies: an agent beside each kubelet, upstream's own kube-network-policies.

The first packet of each connection of a Pod that a policy selects waits in the kernel until the agent has
said whether it may pass. All other packets go their way as they do without it.
"""

from podproof.kube.client import Api
from podproof.kube.kinds import SERVICE_ACCOUNT, Kind, Object

from .gobuild import Components
from .machine import Machine, Program

AGENT = "kube-network-policies"
"""The agent's name, and whom it is to the API server."""

_ACCOUNT_FILES = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a client that takes itself for one in a Pod finds its token; this one knows no other way."""

_TEN_YEARS = 10 * 365 * 24 * 3600
"""Nobody renews the token, so it outlives any cluster."""

_NAMESPACE = "kube-system"


def program(components: Components, node: str, api_server: str) -> Program:
    """The agent of a Node; it needs an API server to talk to.

    Args:
        components: What there is to run.
        node: The Node's name.
        api_server: The API server's address.
    """
    return Program(
        AGENT,
        [
            components.command(AGENT),
            f"--hostname-override={node}",
            "--metrics-bind-address=127.0.0.1:9080",
            # It works around a race that kernels have lost since, and lets DNS pass where it does.
            "--netfilter-bug-1766-fix=false",
        ],
        {"KUBERNETES_SERVICE_HOST": api_server, "KUBERNETES_SERVICE_PORT": "6443"},
        start_at_boot=False,
    )


def prepare(machine: Machine, authority: str) -> None:
    """Write on a Node's disk what the agent needs to trust the API server.

    Args:
        machine: The Node's.
        authority: The certificate of the cluster's authority.
    """
    machine.write(f"{_ACCOUNT_FILES}/ca.crt", authority)


def admit(api: Api, machines: list[Machine]) -> None:
    """Give the agents their rights, and each Node a token that says who they are."""
    _apply(api, "v1", "ServiceAccount", _NAMESPACE, {})
    rules = [
        {"apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["get", "list", "watch"]},
        {
            "apiGroups": ["networking.k8s.io"],
            "resources": ["networkpolicies"],
            "verbs": ["get", "list", "watch"],
        },
    ]
    _apply(api, "rbac.authorization.k8s.io/v1", "ClusterRole", None, {"rules": rules})
    binding = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": AGENT},
        "subjects": [{"kind": "ServiceAccount", "namespace": _NAMESPACE, "name": AGENT}],
    }
    _apply(api, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", None, binding)
    answer = api.request(
        "POST",
        SERVICE_ACCOUNT.path(_NAMESPACE, AGENT, "token"),
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TEN_YEARS},
        },
    )
    for machine in machines:
        machine.write(f"{_ACCOUNT_FILES}/token", answer["status"]["token"], 0o600)


def _apply(api: Api, version: str, kind: str, namespace: str | None, rest: Object) -> None:
    found: Kind = api.kind(version, kind)
    metadata = {"name": AGENT} | ({"namespace": namespace} if namespace else {})
    api.apply(found, namespace, {"apiVersion": version, "kind": kind, "metadata": metadata, **rest})
