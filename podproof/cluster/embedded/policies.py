"""Enforcing NetworkPolicies: an agent beside each kubelet, upstream's own kube-network-policies.

The first packet of each connection of a Pod that a policy selects waits in the kernel until the agent has
said whether it may pass. All other packets go their way as they do without it.

The agent learns of policies, and of Pods' addresses, from the API server. Until it knows of a Pod that has
just started, that talks freely, and is not let in where a policy admits it, which TCP's second try a second
later hides. When an agent is stopped its rules stay: Pods that they name get no new connections, and
no policy takes hold of another Pod.
"""

import platform
import re

from podproof.kube.client import Api
from podproof.kube.users import service_account_token

from .addons import apply
from .gobuild import Components
from .machine import Machine, Program

AGENT = "kube-network-policies"
"""The agent's name, and whom it is to the API server."""

_ACCOUNT_FILES = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a client that takes itself for one in a Pod finds its token; this one knows no other way."""

_TEN_YEARS = 10 * 365 * 24 * 3600
"""Nobody renews the token, so it outlives any cluster."""

_NAMESPACE = "kube-system"

_WITHOUT_RACE = (6, 12)
"""The first kernel that does not lose a DNS query which is judged beside another one (netfilter's bug
1766). With older ones the agent judges DNS at another hook."""


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
            f"--netfilter-bug-1766-fix={str(_has_race()).lower()}",
        ],
        {"KUBERNETES_SERVICE_HOST": api_server, "KUBERNETES_SERVICE_PORT": "6443"},
        start_at_boot=False,
    )


def _has_race() -> bool:
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return found is not None and tuple(map(int, found.groups())) < _WITHOUT_RACE


def prepare(machine: Machine, authority: str) -> None:
    """Write on a Node's disk what the agent needs to trust the API server.

    Args:
        machine: The Node's.
        authority: The certificate of the cluster's authority.
    """
    machine.write(f"{_ACCOUNT_FILES}/ca.crt", authority)


def admit(api: Api, machines: list[Machine]) -> None:
    """Give the agents their rights, and each Node a token that says who they are."""
    rights = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": AGENT}}
    whom = {"name": AGENT, "namespace": _NAMESPACE}
    apply(api, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": whom})
    apply(api, {
        **rights,
        "kind": "ClusterRole",
        "rules": [
            {"apiGroups": [group], "resources": resources, "verbs": ["list", "watch"]}
            for group, resources in (
                ("", ["namespaces", "pods"]), ("networking.k8s.io", ["networkpolicies"])
            )
        ],
    })  # fmt: skip
    apply(api, {
        **rights,
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": AGENT},
        "subjects": [{"kind": "ServiceAccount", **whom}],
    })  # fmt: skip
    token = service_account_token(api, _NAMESPACE, AGENT, _TEN_YEARS)
    for machine in machines:
        machine.write(f"{_ACCOUNT_FILES}/token", token, 0o600)
