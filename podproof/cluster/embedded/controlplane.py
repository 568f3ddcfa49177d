"""The control plane's machine: etcd, the API server, the controllers and the scheduler."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

from . import waits
from .gobuild import Components
from .machine import Machine, Program
from .network import POD_RANGE, SERVICE_RANGE, Addresses
from .paths import ClusterPaths

if TYPE_CHECKING:
    from .pki import Authority

NAME = "control-plane"
ETCD_HEALTH_PORT = 2381
"""Where etcd says how it is, without a certificate; kubeadm's choice, too."""

NO_FSYNC = "--unsafe-no-fsync"
"""The flag of an etcd that does not wait for its disk; with ``=true`` it says the same."""

_CONTROLLER_MANAGER = "controller-manager"
_INSPECTOR = "inspector"
"""Names of certificates that kubeadm does not make: one to be asked with, one to ask with."""


def programs(
    components: Components, paths: ClusterPaths, addresses: Addresses, *, durable: bool = False
) -> list[Program]:
    """What the control plane's machine runs, with the flags that kubeadm's static Pods have.

    The controllers and the scheduler are started once the API server is ready: before, they would give up.

    Args:
        components: What there is to run.
        paths: The cluster's files.
        addresses: The cluster's.
        durable: Whether etcd waits for its disk before it answers.
    """
    pki, kubeconfigs = paths.pki, paths.kubeconfigs
    etcd = "https://127.0.0.1:2379"
    peer = "http://127.0.0.1:2380"
    return [
        Program(
            "etcd",
            [
                components.command("etcd"),
                "--name=podproof",
                "--data-dir=/var/lib/etcd",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=podproof={peer}",
                f"--listen-metrics-urls=http://{addresses.control_plane}:{ETCD_HEALTH_PORT}",
                f"--cert-file={pki}/etcd/server.crt",
                f"--key-file={pki}/etcd/server.key",
                "--client-cert-auth",
                f"--trusted-ca-file={pki}/etcd/ca.crt",
                # The cluster is thrown away; a power cut of this whole machine ends it anyhow.
                *(() if durable else (NO_FSYNC,)),
                "--log-level=warn",
            ],
        ),
        Program(
            "kube-apiserver", [components.command("kube-apiserver"), *_api_server(paths, addresses, etcd)]
        ),
        Program(
            "kube-controller-manager",
            [
                components.command("kube-controller-manager"),
                *_as(kubeconfigs / "controller-manager.conf"),
                f"--client-ca-file={pki}/ca.crt",
                f"--cluster-signing-cert-file={pki}/ca.crt",
                f"--cluster-signing-key-file={pki}/ca.key",
                f"--root-ca-file={pki}/ca.crt",
                f"--service-account-private-key-file={pki}/sa.key",
                "--use-service-account-credentials",
                # At start each of the forty controllers fetches a token of its own: with the default limit
                # of 20 requests a second that alone takes five seconds. One token bucket, no behaviour of a
                # controller.
                "--kube-api-qps=200",
                "--kube-api-burst=400",
                "--allocate-node-cidrs",
                f"--cluster-cidr={POD_RANGE}",
                f"--service-cluster-ip-range={SERVICE_RANGE}",
                "--leader-elect=false",
                f"--tls-cert-file={pki}/{_CONTROLLER_MANAGER}.crt",
                f"--tls-private-key-file={pki}/{_CONTROLLER_MANAGER}.key",
            ],
            start_at_boot=False,
        ),
        Program(
            "kube-scheduler",
            [
                components.command("kube-scheduler"),
                *_as(kubeconfigs / "scheduler.conf"),
                "--leader-elect=false",
            ],
            start_at_boot=False,
        ),
    ]


def prepare(machine: Machine) -> None:
    """Make what the programs expect on the machine's disk."""
    (machine.disk / "var/lib/etcd").mkdir(parents=True, exist_ok=True, mode=0o700)


def issue_certificates(paths: ClusterPaths, addresses: Addresses, authority: "Authority") -> None:
    """Issue what it takes to ask the controller manager how it is configured."""
    issued = {
        _CONTROLLER_MANAGER: authority.issue(NAME, client=False, address=addresses.control_plane),
        _INSPECTOR: authority.issue("podproof-inspector", "system:masters", client=True),
    }
    for name, (certificate, key) in issued.items():
        (paths.pki / f"{name}.crt").write_text(certificate)
        (paths.pki / f"{name}.key").touch(mode=0o600)
        (paths.pki / f"{name}.key").write_text(key)


def ask_controller_manager(paths: ClusterPaths, addresses: Addresses) -> dict[str, Any]:
    """What the controller manager says about its own configuration; empty if it does not answer."""
    url = f"https://{addresses.control_plane}:10257/configz"
    with urllib3.PoolManager(
        ca_certs=str(paths.pki / "ca.crt"),
        cert_file=str(paths.pki / f"{_INSPECTOR}.crt"),
        key_file=str(paths.pki / f"{_INSPECTOR}.key"),
        retries=False,
        timeout=waits.CONFIGURATION_SECONDS,
    ) as pool:
        try:
            answer = json.loads(pool.request("GET", url).data)
        except (urllib3.exceptions.HTTPError, ValueError):
            return {}
    told: dict[str, Any] = next(iter(answer.values()), {})
    return told


def _as(kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
    ]


def _api_server(paths: ClusterPaths, addresses: Addresses, etcd: str) -> list[str]:
    pki = paths.pki
    return [
        f"--advertise-address={addresses.control_plane}",
        "--secure-port=6443",
        f"--etcd-servers={etcd}",
        f"--etcd-cafile={pki}/etcd/ca.crt",
        f"--etcd-certfile={pki}/apiserver-etcd-client.crt",
        f"--etcd-keyfile={pki}/apiserver-etcd-client.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        # Node names are known to nobody's DNS here.
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--enable-bootstrap-token-auth",
        "--allow-privileged",
        f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
        f"--proxy-client-key-file={pki}/front-proxy-client.key",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        # Services have no route here, so extension API servers are reached at their Pods.
        "--enable-aggregator-routing=true",
    ]
