"""Every fault of Pods and containers: its four steps, its end when its runner is killed, its own timer."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable

import pytest
import tenacity

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.errors import TrialError
from podproof.faults import journal, signs
from podproof.faults.container_endings import ContainerKilled
from podproof.faults.fault import Fault, restore
from podproof.faults.injected import injected
from podproof.faults.inside import ContainerFrozen, frozen, full
from podproof.faults.pod_fault import PodFault
from podproof.faults.pod_losses import lost
from podproof.faults.pod_network import PodCutOff
from podproof.faults.timed import Timed
from podproof.faults.undo import undo_written
from podproof.kube import files
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Object
from podproof.kube.scene import Scene
from podproof.kube.states import container_status
from tests import runners
from tests.guards import guards

from .pod_faults import FAULTS, LASTING, LASTS, MANIFEST

MOMENTS = int(os.environ.get("PODPROOF_MOMENTS", "1"))
"""How many random moments of each fault's life its runner is killed at."""
LONGEST_INJECTION = 6.0
"""Seconds within which the moments lie: an injection and its confirmation take less on an idle machine."""
UNDONE = 120.0
"""Seconds within which all is undone; a container that has crashed three times is the longest."""


@pytest.fixture
def pod(scene: Scene) -> Object:
    return scene.start_pod(MANIFEST)


def wait_until(holds: Callable[[], bool]) -> None:
    tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda there: not there),
        stop=tenacity.stop_after_delay(UNDONE),
        wait=tenacity.wait_fixed(0.2),
    )(holds)


def nothing_is_left(cluster: EmbeddedCluster, api: Api, pod: Object) -> None:
    """No entry, no guard, and the Pod, if it is there, as if nothing had been."""
    assert journal.of_cluster(cluster) == []
    assert guards(cluster) == []
    there = api.find(POD, pod["metadata"]["namespace"], pod["metadata"]["name"])
    if there is None or "deletionTimestamp" in there["metadata"]:
        return
    assert (
        files.must_run(api, there, "beside", "cat /proc/[0-9]*/stat | sed 's/.*) //' | grep -c ^T; :")
        == "0\n"
    )
    assert files.names(api, there, "beside", "/shared") == []
    if files.must_run(api, there, "beside", "ps | grep '[r]ead -t' ; :"):
        pytest.fail("a timer is left")
    assert "153" not in files.must_run(
        api, there, "beside", "ip -4 rule; ip -6 rule; ip route show table 153"
    )
    files.must_run(api, there, "beside", "timeout 5 nslookup kubernetes.default.svc.cluster.local")


@pytest.mark.parametrize("which", FAULTS)
def test_a_fault_takes_and_is_undone(cluster: EmbeddedCluster, api: Api, pod: Object, which: str) -> None:
    fault = FAULTS[which](cluster, pod, LASTS.seconds)
    with injected(fault, LASTS) as injection:
        [entry] = journal.of_cluster(cluster)
        assert restore(cluster, entry.fault, entry.parameters) == fault, "it can be undone by what is written"
        assert len(guards(cluster)) == 1
        injection.demand_lasting()
    nothing_is_left(cluster, api, pod)
    fault.confirm_reverted()
    fault.revert()
    fault.confirm_reverted()


def start(cluster: EmbeddedCluster, pod: Object, which: str, seconds: float) -> subprocess.Popen[str]:
    """Start a runner that is about to inject a fault."""
    where = (pod["metadata"]["namespace"], pod["metadata"]["name"], str(seconds))
    runner = runners.start("tests.kube.pod_faults", cluster.name, which, *where)
    assert runners.line(runner)
    return runner


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("which", FAULTS)
def test_a_fault_is_undone_when_its_runner_is_killed(
    cluster: EmbeddedCluster, api: Api, pod: Object, which: str, moment: int
) -> None:
    del moment
    runner = start(cluster, pod, which, LASTS.seconds)
    after = random.uniform(0, LONGEST_INJECTION)  # noqa: S311 - no secret
    try:
        runner.wait(after)
    except subprocess.TimeoutExpired:
        runner.kill()
    said, _ = runner.communicate()
    assert runner.returncode == -9, said
    print(f"{which}: killed after {after:.2f} s, {'after' if said else 'during'} the injection")
    wait_until(lambda: not (journal.of_cluster(cluster) or guards(cluster)))
    nothing_is_left(cluster, api, pod)


@pytest.mark.parametrize("which", LASTING)
def test_a_fault_ends_by_its_own_timer_when_all_others_are_dead(
    cluster: EmbeddedCluster, api: Api, pod: Object, which: str
) -> None:
    runner = start(cluster, pod, which, 15)
    assert runner.stdout is not None
    assert runner.stdout.readline() == "injected\n"
    for guard in guards(cluster):
        guard.kill()
    runner.kill()
    runner.communicate()
    [entry] = journal.of_cluster(cluster)
    fault = restore(cluster, entry.fault, entry.parameters)

    wait_until(lambda: seems_over(api, fault))

    # What clears up after all clusters of this machine may have been started by somebody else meanwhile.
    assert undo_written(entry) or not entry.exists
    nothing_is_left(cluster, api, pod)


def seems_over(api: Api, fault: Fault) -> bool:
    """Whether a fault shows no more; nothing is done about it."""
    assert isinstance(fault, PodFault)
    if isinstance(fault, Timed):
        return not fault.is_there()
    pod = fault.find(api)
    assert pod is not None
    [status] = pod["status"]["ephemeralContainerStatuses"]
    ended = status["state"].get("terminated")
    assert ended is None or ended["exitCode"] == 0
    return ended is not None


def test_a_fault_that_comes_too_late_does_not_come(cluster: EmbeddedCluster, pod: Object) -> None:
    fault = frozen(cluster, pod, "app", LASTS.seconds)
    fault.revert()
    with pytest.raises(TrialError, match="mkdir"):
        fault.inject()
    assert not fault.is_there()
    fault.confirm_reverted()


def is_another(api: Api, fault: ContainerFrozen) -> bool:
    """Whether the container runs anew."""
    status = container_status(fault.find(api) or {}, fault.container)
    return "running" in status["state"] and status["containerID"] != fault.instance


def test_a_container_that_starts_anew_is_not_frozen(cluster: EmbeddedCluster, api: Api, pod: Object) -> None:
    fault = frozen(cluster, pod, "app", LASTS.seconds)
    with injected(fault, LASTS):
        files.run(api, pod, "app", "kill -KILL $(cat /tmp/pid)")
        wait_until(lambda: is_another(api, fault))
    nothing_is_left(cluster, api, pod)


def test_what_carries_a_fault_is_killed(cluster: EmbeddedCluster, api: Api, pod: Object) -> None:
    fault = PodCutOff.of(cluster, pod, LASTS.seconds)
    with injected(fault, LASTS):
        script = "kill -KILL $(grep -l 'reaches[_]api' /proc/[0-9]*/cmdline | cut -d / -f 3)"
        files.run(api, pod, "beside", script)
        wait_until(lambda: "terminated" in str(api.get(POD, fault.namespace, fault.pod)["status"]))
        assert "153" in files.must_run(api, pod, "beside", "ip rule")
    nothing_is_left(cluster, api, pod)


def test_a_pod_that_is_gone_has_taken_its_fault_with_it(
    cluster: EmbeddedCluster, api: Api, pod: Object
) -> None:
    network = PodCutOff.of(cluster, pod, LASTS.seconds)
    freezing = frozen(cluster, pod, "app", LASTS.seconds)
    with injected(network, LASTS), injected(freezing, LASTS):
        lost(cluster, pod, "killed").inject()
    nothing_is_left(cluster, api, pod)


def test_a_fault_that_does_not_take_is_a_failed_trial(
    cluster: EmbeddedCluster, api: Api, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(fault: Fault, why: str) -> None:
        with pytest.raises(TrialError, match=why), injected(fault, LASTS):
            pytest.fail("nothing was broken")
        nothing_is_left(cluster, api, pod)

    fails(frozen(cluster, pod, "absent", 60), "does not run as it did")
    fails(
        FAULTS["crash loop"](cluster, {**pod, "metadata": {**pod["metadata"], "uid": "other"}}, 60), "is gone"
    )
    killed = FAULTS["container killed"](cluster, pod, 60)
    assert isinstance(killed, ContainerKilled)
    fails(
        restore(cluster, killed.kind, killed.parameters() | {"container": "absent"}), "does not run as it did"
    )
    fails(restore(cluster, killed.kind, killed.parameters() | {"uid": "other"}), "is gone")

    monkeypatch.setattr(PodCutOff, "functions", "reached() { false; }; cut() { :; }; sign() { :; }")
    fails(PodCutOff.of(cluster, pod, 60), "cannot be reached anyway")

    soon = Deadline("the fault to take effect", 1, "the test does not want to wait", "the test's patience")
    monkeypatch.setattr(signs.demand, "__defaults__", (soon,))
    monkeypatch.setattr(ContainerFrozen, "breaks", ":")
    fails(frozen(cluster, pod, "app", 60), "the fault did not take: .* is frozen")
    monkeypatch.setattr(PodCutOff, "functions", "reached() { :; }; cut() { :; }; sign() { ! reaches_api; }")
    fails(PodCutOff.of(cluster, pod, 60), "the fault did not take: .* is cut off")
    assert container_status(pod, "app")["restartCount"] == 0


def test_a_volume_on_the_nodes_disk_is_not_filled(cluster: EmbeddedCluster, scene: Scene) -> None:
    other = scene.start_pod("volumes/restarts")
    with (
        pytest.raises(TrialError, match="no emptyDir in memory with a sizeLimit"),
        injected(full(cluster, other, "first", "data", 60), LASTS),
    ):
        pytest.fail("it was filled")
