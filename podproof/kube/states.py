"""The conditions on Pods, containers and their controllers that steps wait for again and again."""

from __future__ import annotations

from dataclasses import dataclass

from podproof.kube import summary
from podproof.kube.conditions import Condition, View
from podproof.kube.kinds import EVENT, POD, Kind, Object, name, owner_uid, uid

_NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})


def is_ready(pod: Object) -> bool:
    """Whether a Pod counts as Ready and is not on its way out."""
    conditions = pod.get("status", {}).get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def is_over(pod: Object) -> bool:
    """Whether a Pod has ended for good: none of its containers runs again, and no controller counts it."""
    return pod.get("status", {}).get("phase") in {"Failed", "Succeeded"}


def is_started(pod: Object) -> bool:
    """Whether all containers of a Pod run."""
    statuses = pod.get("status", {}).get("containerStatuses", ())
    return bool(statuses) and all("running" in each["state"] for each in statuses)


def container_status(pod: Object, container: str) -> Object:
    """What the kubelet says of a container; an empty dict before it says anything."""
    statuses = pod.get("status", {}).get("containerStatuses", ())
    return next((each for each in statuses if each["name"] == container), {})


NEVER_STARTS = "podproof.dev/never-starts"
"""An annotation of Pods that are not meant to start: what keeps them from it is what the claim is about."""


def why_not_started(pod: Object) -> str | None:
    """What keeps a Pod from starting that is no matter of any claim: its image or its place; else None."""
    if NEVER_STARTS in pod["metadata"].get("annotations", {}):
        return None
    status = pod.get("status", {})
    for each in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = each.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _NO_IMAGE:
            return f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
    for each in status.get("conditions", ()):
        if each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable":
            return f"Unschedulable: {each.get('message', '')}".rstrip(": ")
    return None


def owned(view: View, kind: Kind, owner: str) -> list[Object]:
    """The objects of a kind whose controller is the one of this uid and that are not on their way out."""
    return [
        thing
        for thing in view.all(kind)
        if owner_uid(thing) == owner and "deletionTimestamp" not in thing["metadata"]
    ]


def events_about(view: View, thing: Object, *reasons: str) -> list[Object]:
    """The Events of some reasons about an object."""
    return [
        event
        for event in view.all(EVENT)
        if event.get("regarding", {}).get("uid") == uid(thing) and event.get("reason") in reasons
    ]


@dataclass(frozen=True)
class PodReady(Condition):
    """The Pod of uid `pod` is Ready."""

    pod: str
    kinds = frozenset({POD})

    def holds(self, view: View) -> bool:
        """See the class."""
        pod = view.one(POD, self.pod)
        return pod is not None and is_ready(pod)

    def describe(self) -> str:
        """See the class."""
        return "the Pod is Ready"

    def observed(self, view: View) -> str:
        """The Pod's state."""
        return _pod_state(view, self.pod)

    def impossible(self, view: View) -> str | None:
        """A Pod that is gone or has ended is never Ready again."""
        if view.gone(POD, self.pod):
            return "the Pod is gone"
        phase = (view.one(POD, self.pod) or {}).get("status", {}).get("phase")
        return f"the Pod has ended ({phase})" if phase in {"Failed", "Succeeded"} else None


@dataclass(frozen=True)
class OwnedPodsReady(Condition):
    """The controller of uid `owner` has `count` Pods that have not ended, no more and no fewer, all Ready."""

    owner: str
    count: int
    kinds = frozenset({POD})
    several = True

    def holds(self, view: View) -> bool:
        """See the class."""
        pods = [pod for pod in owned(view, POD, self.owner) if not is_over(pod)]
        return len(pods) == self.count and all(is_ready(pod) for pod in pods)

    def describe(self) -> str:
        """See the class."""
        return f"{self.count} Ready Pod{'s' * (self.count != 1)}, no more and no fewer"

    def observed(self, view: View) -> str:
        """The state of each of the Pods."""
        return tell_pods(owned(view, POD, self.owner))


@dataclass(frozen=True)
class Gone(Condition):
    """The object of uid `thing` existed and does no more."""

    kind: Kind
    thing: str

    @property
    def kinds(self) -> frozenset[Kind]:
        """The object's kind."""
        return frozenset({self.kind})

    def holds(self, view: View) -> bool:
        """See the class."""
        return view.gone(self.kind, self.thing) is not None

    def describe(self) -> str:
        """See the class."""
        return f"the {self.kind.name} is gone"

    def observed(self, view: View) -> str:
        """The object's state."""
        if there := view.one(self.kind, self.thing):
            return f"{self.kind.name} {name(there)} exists: {summary.line(there)}"
        gone = view.gone(self.kind, self.thing)
        return f"{self.kind.name} {name(gone)} is gone" if gone else f"the {self.kind.name} never existed"


@dataclass(frozen=True)
class Replaced(Condition):
    """In the Pod of uid `pod` a `container` runs that is another instance than the one of id `instance`."""

    pod: str
    container: str
    instance: str
    kinds = frozenset({POD})

    def holds(self, view: View) -> bool:
        """See the class."""
        status = container_status(view.one(POD, self.pod) or {}, self.container)
        return "running" in status.get("state", {}) and status.get("containerID") != self.instance

    def describe(self) -> str:
        """See the class."""
        return f"container {self.container} is started again in the same Pod"

    def observed(self, view: View) -> str:
        """The Pod's state."""
        return _pod_state(view, self.pod)

    def impossible(self, view: View) -> str | None:
        """A Pod that is gone runs nothing."""
        return "the Pod is gone" if view.gone(POD, self.pod) else None


@dataclass(frozen=True)
class SameInstance(Condition):
    """In the Pod of uid `pod` a `container` runs that is the instance of id `instance`."""

    pod: str
    container: str
    instance: str
    kinds = frozenset({POD})

    def holds(self, view: View) -> bool:
        """See the class."""
        status = container_status(view.one(POD, self.pod) or {}, self.container)
        return "running" in status.get("state", {}) and status["containerID"] == self.instance

    def describe(self) -> str:
        """See the class."""
        return f"container {self.container} runs, and is the same instance"

    def observed(self, view: View) -> str:
        """The Pod's state."""
        return _pod_state(view, self.pod)


@dataclass(frozen=True)
class Ended(Condition):
    """In the Pod of uid `pod` the instance of a `container` has ended with an exit code and a reason."""

    pod: str
    container: str
    exit_code: int
    reason: str
    kinds = frozenset({POD})

    def holds(self, view: View) -> bool:
        """See the class."""
        status = container_status(view.one(POD, self.pod) or {}, self.container)
        states = [status.get(key, {}).get("terminated") for key in ("state", "lastState")]
        return any(
            ended and (ended["exitCode"], ended.get("reason")) == (self.exit_code, self.reason)
            for ended in states
        )

    def describe(self) -> str:
        """See the class."""
        return f"container {self.container} ends with exit code {self.exit_code} ({self.reason})"

    def observed(self, view: View) -> str:
        """The Pod's state."""
        return _pod_state(view, self.pod)


@dataclass(frozen=True)
class SamePods(Condition):
    """The Pods that exist are those of these uids, and none is on its way out."""

    pods: frozenset[str]
    kinds = frozenset({POD})
    several = True

    def holds(self, view: View) -> bool:
        """See the class."""
        there = {uid(pod) for pod in view.all(POD) if "deletionTimestamp" not in pod["metadata"]}
        return there == self.pods and len(view.all(POD)) == len(self.pods)

    def describe(self) -> str:
        """See the class."""
        return f"the same {len(self.pods)} Pods, none new and none lost"

    def observed(self, view: View) -> str:
        """The state of each Pod."""
        return tell_pods(list(view.all(POD)))


@dataclass(frozen=True)
class Noticed(Condition):
    """The controller of the object of uid `thing` has acted on its `generation`."""

    kind: Kind
    thing: str
    generation: int

    @property
    def kinds(self) -> frozenset[Kind]:
        """The object's kind."""
        return frozenset({self.kind})

    def holds(self, view: View) -> bool:
        """See the class."""
        thing = view.one(self.kind, self.thing)
        return thing is not None and thing.get("status", {}).get("observedGeneration", 0) >= self.generation

    def describe(self) -> str:
        """See the class."""
        return f"the controller of the {self.kind.name} has looked at it again"

    def observed(self, view: View) -> str:
        """The object's state."""
        thing = view.one(self.kind, self.thing)
        return summary.line(thing) if thing else f"the {self.kind.name} does not exist"


def tell_pods(pods: list[Object]) -> str:
    """Some Pods in words."""
    return (
        f"{len(pods)} Pods: " + "; ".join(f"{name(pod)} ({summary.line(pod)})" for pod in pods)
        if pods
        else "no Pod"
    )


def _pod_state(view: View, pod: str) -> str:
    thing = view.one(POD, pod) or view.gone(POD, pod)
    if thing is None:
        return "the Pod does not exist"
    return (
        f"Pod {name(thing)} {'is gone; it was' if view.gone(POD, uid(thing)) else 'is'} {summary.line(thing)}"
    )
