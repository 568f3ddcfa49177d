"""What a killed run has left on a cluster is removed by who looks for it next."""

from __future__ import annotations

import secrets
import subprocess
import sys

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.faults import mending
from podproof.kube.client import Api
from podproof.kube.kinds import NAMESPACE, PERSISTENT_VOLUME, name
from podproof.kube.namespaces import RUN

_RUN = """
import sys
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.faults import traces
from podproof.kube.client import Api
from podproof.kube.namespaces import Namespace

cluster, run = EmbeddedCluster(sys.argv[1]), sys.argv[2]
api = Api.from_kubeconfig(cluster.kubeconfig, cluster.context)
with traces.written(cluster, run):
    namespace = Namespace.create(api, "killed", run)
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "left"},
            "spec": {
                "capacity": {"storage": "1Mi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/mnt/podproof/left"},
            },
        },
        "a test",
    )
    print("made", flush=True)
    sys.stdin.read()
"""


def test_namespaces_and_objects_of_a_killed_run_are_removed(cluster: EmbeddedCluster, api: Api) -> None:
    run = secrets.token_hex(4)
    runner = subprocess.Popen(
        [sys.executable, "-c", _RUN, cluster.name, run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert runner.stdout is not None
    assert runner.stdout.readline() == "made\n"
    [namespace] = api.list(NAMESPACE, None, f"{RUN}={run}")["items"]

    [while_it_runs] = [each.text for each in mending.clean() if run in each.text]
    assert while_it_runs.startswith("left alone:")
    runner.kill()
    runner.communicate()
    [afterwards] = [each.text for each in mending.clean() if run in each.text]
    assert afterwards.startswith(f"undone: what run {run} made, on cluster {cluster.name}")

    assert api.find(NAMESPACE, None, name(namespace)) is None
    assert api.list(PERSISTENT_VOLUME, None, f"{RUN}={run}")["items"] == []
    assert not [each for each in mending.clean() if run in each.text]
