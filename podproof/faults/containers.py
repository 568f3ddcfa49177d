"""Making containers end or fall ill from the inside, and making sure that they do.

The containers that this is done to cooperate: their manifests say how, see `manifests/volumes/restarts.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from podproof.errors import TrialError
from podproof.faults.pods import Incident, before
from podproof.kube import deadlines, files
from podproof.kube.conditions import Check, Condition, View
from podproof.kube.kinds import EVENT, POD, Object, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Ended, events_about, is_ready
from podproof.kube.summary import line

_ERROR_EXIT = 3  # what the manifests' containers exit with
_KILLED = 128 + 9  # as a shell puts SIGKILL


def crash(scene: Scene, pod: Object, container: str) -> Incident:
    """Make the container's main process exit with an error."""
    ended = Ended(uid(pod), container, _ERROR_EXIT, "Error")
    return _strike(scene, pod, container, "echo crash >/tmp/order", ended)


def finish(scene: Scene, pod: Object, container: str) -> Incident:
    """Make the container's main process end without an error; it is `agnhost netexec` at its usual port."""
    ended = Ended(uid(pod), container, 0, "Completed")
    return _strike(scene, pod, container, "wget -q -O - 'http://127.0.0.1:8080/exit?code=0'", ended)


def kill(scene: Scene, pod: Object, container: str) -> Incident:
    """Send SIGKILL to the container's main process."""
    ended = Ended(uid(pod), container, _KILLED, "Error")
    return _strike(scene, pod, container, "kill -9 $(cat /tmp/pid)", ended)


def kill_pod(scene: Scene, pod: Object, container: str) -> Incident:
    """End every process of a Pod at once, as if it was killed on its Node: the API has no part in it.

    The Pod must let its containers share their processes. Then the one that holds its namespaces is the first
    of them and can be told to end; the kernel kills all others with it.
    """
    killed = Ended(uid(pod), container, _KILLED, "Error")
    # Not at the same time: the kubelet may try the old sandbox once more, and its failure takes the place of
    # the container's end in the Pod's status before it notes that the sandbox has changed.
    return _strike(scene, pod, container, "kill 1", killed, _noted(pod, "SandboxChanged"))


def exhaust_memory(scene: Scene, pod: Object, container: str) -> Incident:
    """Make the container's main process take more memory than its limit."""
    ended = Ended(uid(pod), container, _KILLED, "OOMKilled")
    return _strike(scene, pod, container, "echo memory >/tmp/order", ended)


def fail_liveness(scene: Scene, pod: Object, container: str) -> Incident:
    """Make the container's liveness check fail."""
    incident = _strike(scene, pod, container, "touch /tmp/ill", _probe_fails_anew(scene, pod, "Liveness"))
    return replace(incident, by_liveness=True)


def fail_readiness(scene: Scene, pod: Object, container: str) -> Incident:
    """Make the container's readiness check fail, until something removes the file."""

    def unready(view: View) -> bool:
        known = view.one(POD, uid(pod))
        return known is not None and not is_ready(known)

    def tell(view: View) -> str:
        known = view.one(POD, uid(pod))
        return line(known) if known else "the Pod is gone"

    noticed = Check("the Pod is not Ready", frozenset({POD}), unready, tell)
    return _strike(scene, pod, container, "touch /tmp/unready", noticed)


ENDINGS: dict[str, Callable[[Scene, Object, str], Incident]] = {
    "crashes": crash,
    "is killed": kill,
    "runs out of memory": exhaust_memory,
    "fails its liveness check": fail_liveness,
}
"""How a container can end, by the words that features use."""


def _strike(scene: Scene, pod: Object, container: str, script: str, *signs: Condition) -> Incident:
    incident = before(scene, pod)
    # The command may not outlive what it causes, so how it ended tells nothing; the sign does.
    with suppress(TrialError):
        files.run(scene.api, pod, container, script)
    seen = [scene.recording.wait_until(sign, deadlines.FAULT_CONFIRMED, incident.since) for sign in signs]
    return replace(incident, struck=max(seen, key=lambda each: each.position))


def _probe_fails_anew(scene: Scene, pod: Object, probe: str) -> Condition:
    """The kubelet says once more that a probe failed: on a slow machine it may have said so before."""

    def failures(view: View) -> set[str]:
        return {
            f"{uid(event)} {event['metadata']['resourceVersion']}"
            for event in events_about(view, pod, "Unhealthy")
            if event.get("note", "").startswith(probe)
        }

    scene.recording.catch_up((EVENT,))
    before = failures(scene.recording.world())
    return Check(
        f"an event says that the Pod's {probe.lower()} probe failed",
        frozenset({EVENT}),
        lambda view: bool(failures(view) - before),
        lambda _: "there is no such event",
    )


def _noted(pod: Object, reason: str) -> Condition:
    return Check(
        f"an event {reason} of the Pod",
        frozenset({EVENT}),
        lambda view: bool(events_about(view, pod, reason)),
        lambda _: "there is no such event",
    )
