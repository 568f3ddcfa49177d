"""What happens in the cluster stays in the cluster."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.init import KERNEL_SETTINGS
from podproof.cluster.embedded.paths import cache_directory
from podproof.kube import execute, watch
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Object
from podproof.kube.namespaces import Namespace

ELSEWHERE = "192.0.2.1"
"""An address that is nobody's: set aside for documentation (RFC 5737)."""

STARTED = Deadline("a Pod to start", 60, "a second on an idle machine", "the test's patience")


def inside(cluster: EmbeddedCluster, machine: str, *command: str) -> "subprocess.CompletedProcess[str]":
    pid = cluster.machine(machine).pid
    return subprocess.run(
        ["nsenter", "--target", str(pid), "--mount", "--net", "--uts", "--", *command],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_no_route_leads_out_of_a_node(cluster: EmbeddedCluster) -> None:
    tried = inside(cluster, "node-1", "bash", "-c", f"exec 3<>/dev/tcp/{ELSEWHERE}/80")
    assert tried.returncode != 0
    assert "unreachable" in tried.stderr.lower() or "no route" in tried.stderr.lower()


def test_the_host_has_no_route_to_pods_and_services() -> None:
    routes = Path("/proc/net/route").read_text()
    assert "0AF4" not in routes.upper()
    assert "F40A" not in routes.upper(), "10.244.0.0/16 is the Pods'"
    assert "600A" not in routes.upper(), "10.96.0.0/16 is the Services'"


def test_a_node_sees_nothing_of_the_host_but_its_programs(cluster: EmbeddedCluster) -> None:
    listed = inside(cluster, "node-1", "ls", "/mnt", "/opt", "/srv", "/home", "/var/lib").stdout.split()
    assert "podproof" not in listed
    assert "dpkg" not in listed
    assert inside(cluster, "node-1", "hostname").stdout.strip() == "node-1"
    assert inside(cluster, "node-1", "test", "-e", "/etc/shadow").returncode != 0
    assert inside(cluster, "node-1", "touch", "/etc/podproof-was-here").returncode == 0
    assert not Path("/etc/podproof-was-here").exists(), "its /etc is its own"
    assert inside(cluster, "node-1", "touch", "/usr/podproof-was-here").returncode != 0
    top = set(inside(cluster, "node-1", "ls", "/").stdout.split())
    ours = {Path(prefix).parts[1] for prefix in (sys.prefix, sys.base_prefix, str(cache_directory()))}
    programs = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "dev", "sys"}
    own = {"etc", "proc", "run", "tmp", "mnt", "opt", "root", "var", "podproof", "podproof-host-path"}
    assert top <= programs | own | ours


def test_the_kernel_settings_of_a_node_are_shown_not_set(cluster: EmbeddedCluster) -> None:
    for name, wanted in KERNEL_SETTINGS.items():
        assert inside(cluster, "node-1", "cat", f"/proc/sys/{name}").stdout.strip() == wanted


def test_a_directory_of_the_node_is_not_the_host_s(
    cluster: EmbeddedCluster, api: Api, namespace: Namespace
) -> None:
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "writer"},
        "spec": {
            "nodeName": "node-2",
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "app",
                    "image": "registry.k8s.io/e2e-test-images/busybox:1.37.0-2",
                    "command": ["sleep", "3600"],
                    "volumeMounts": [{"name": "node", "mountPath": "/node"}],
                }
            ],
            "volumes": [
                {"name": "node", "hostPath": {"path": "/podproof-host-path", "type": "DirectoryOrCreate"}}
            ],
        },
    }
    api.create(POD, namespace.name, pod)

    def runs(thing: Object | None) -> bool:
        return bool(thing and thing.get("status", {}).get("phase") == "Running")

    watch.until(api, POD, namespace.name, "writer", runs, STARTED)
    assert execute.execute(api, namespace.name, "writer", "app", ["touch", "/node/was-here"]).ok
    assert not Path("/podproof-host-path").exists()
    assert (cluster.machine("node-2").disk / "podproof-host-path/was-here").exists()
