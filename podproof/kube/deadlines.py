"""Every wait, bound and tolerance of podproof: named, in seconds, with its reason and its origin.

A *bound* is what the cluster promises, by an upstream objective, a documented default or the object's own
fields. `TOLERANCE` is what podproof adds before it gives up waiting, for a machine that is slow or shared: a
wait fails only beyond bound plus tolerance, while reports show the measured time beside the bare bound.

Sources, quoted in `Deadline.origin`:

* Pod start-up objective: github.com/kubernetes/community, sig-scalability/slos/pod_startup_latency.md
* Crash back-off: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, "Container restarts"
* Termination: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, "Pod termination flow"
* Probes: kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from podproof.kube.kinds import Object


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long something may take.

    Attributes:
        name: What is waited for, as a failure names it.
        seconds: The bound itself.
        reason: Why there is one.
        origin: Where the number comes from.
        tolerance: Seconds that a wait grants on top, before it calls the bound broken.
    """

    name: str
    seconds: float
    reason: str
    origin: str
    tolerance: float = 0.0

    @property
    def patience(self) -> float:
        """Seconds after which a wait gives up."""
        return self.seconds + self.tolerance

    def __add__(self, other: Deadline) -> Deadline:
        """One after the other: the seconds add up, the larger tolerance covers both."""
        # What adds nothing, such as a probe that there is not, explains nothing either.
        parts = [part.origin for part in (self, other) if part.seconds] or [self.origin]
        return Deadline(
            name=self.name,
            seconds=self.seconds + other.seconds,
            reason=self.reason,
            origin=" + ".join(parts),
            tolerance=max(self.tolerance, other.tolerance),
        )

    def __mul__(self, times: int) -> Deadline:
        """So many of them, one after the other."""
        return replace(self, seconds=self.seconds * times, origin=f"{times} times ({self.origin})")

    def named(self, name: str, reason: str) -> Deadline:
        """The same bound for something else that is waited for."""
        return replace(self, name=name, reason=reason)

    def __str__(self) -> str:
        allowed = f", and {self.tolerance:g} s granted on top" if self.tolerance else ""
        return f"{self.seconds:g} s for {self.name} ({self.origin}{allowed})"


TOLERANCE = 25.0
"""Seconds granted on top of a bound of the cluster. Ours: six runners and the cluster on two cores."""

_OURS = "podproof's own patience"

# Talking to the API server.
API_CONNECT = Deadline("a connection to the API server", 5, "a server that is up accepts at once", _OURS)
API_REQUEST = Deadline(
    "an answer of the API server",
    30,
    "the objective is 1 s for one object and 30 s for a list",
    "Kubernetes' objective for API call latency",
)
API_RETRY = Deadline(
    "the API server to be reachable again", 15, "an API server that restarts is back within seconds", _OURS
)
WATCH_STARTED = Deadline("the recording to start", 20, "each kind is listed once, then watched", _OURS)
WATCH_CAUGHT_UP = Deadline(
    "the recording to catch up with the server", 10, "a watch delivers within milliseconds", _OURS
)
WATCH_SILENCE = Deadline(
    "a sign of life on a watch",
    90,
    "the server sends a bookmark about once a minute, so longer silence is a dead connection",
    "Kubernetes API concepts, watch bookmarks",
)

# A scenario's namespace.
SERVICE_ACCOUNT_MADE = Deadline(
    "the namespace's default ServiceAccount", 30, "no Pod is admitted before it exists", _OURS
)
NAMESPACE_GONE = Deadline(
    "the namespace to be gone",
    90,
    "its Pods end within their grace periods, and Kubernetes looks again",
    _OURS,
)

CLUSTER_OBJECT_GONE = Deadline(
    "an object of the whole cluster to be gone",
    90,
    "a volume's data are removed first, by its provisioner",
    _OURS,
)

# Commands in containers.
COMMAND = Deadline("a command in a container", 30, "the commands of the steps take milliseconds", _OURS)

REQUEST = Deadline(
    "an answer to a request between Pods",
    5,
    "what drops a request says nothing, so that somebody has to give up",
    "agnhost netexec's own time limit",
)

TRAFFIC_ANSWERED = Deadline(
    "a client's requests to be answered",
    10,
    "what it asks is Ready, and its Node learns of that within a second or two",
    _OURS,
    TOLERANCE,
)
TRAFFIC_ENDED = Deadline(
    "a client to end", 6, "it gives up what is under way after 5 s", "its own time limit", TOLERANCE
)

# What the cluster promises.
CONTROLLER = Deadline(
    "a controller to act",
    1,
    "controllers react to what they watch; no setting delays a ReplicaSet or a Deployment",
    "controllers are driven by events",
    TOLERANCE,
)
POD_STARTUP = Deadline(
    "a Pod to start",
    5,
    "scheduled, its images present, all containers started and seen so by a watch",
    "upstream's Pod start-up objective",
    TOLERANCE,
)
POD_REMOVED = Deadline(
    "a Pod to be gone after its containers ended",
    2,
    "the kubelet unmounts what it mounted, then deletes the Pod for good",
    "the kubelet looks once a second",
    TOLERANCE,
)
POD_COLLECTED = Deadline(
    "a Pod to be removed whose Node is marked as gone",
    20,
    "the garbage collector of Pods looks at all Nodes again and again",
    "kube-controller-manager's podgc, whose period is 20 s",
    TOLERANCE,
)
VOLUME_PROVIDED = Deadline(
    "a volume to be provided for a claim",
    30,
    "a provisioner starts once the first Pod that uses the claim is scheduled",
    _OURS,
    TOLERANCE,
)
VOLUME_BOUND = Deadline(
    "a claim to be bound to a volume that fits",
    15,
    "claims that wait are looked at again in turn when a volume comes",
    "kube-controller-manager --pvclaimbinder-sync-period, by default 15 s",
    TOLERANCE,
)
VOLUME_RECLAIMED = Deadline(
    "a volume to be reclaimed",
    30,
    "a provisioner may need a Pod of its own to remove the data",
    _OURS,
    TOLERANCE,
)
ROLE_EFFECTIVE = Deadline(
    "a role to take effect",
    5,
    "the API server learns of roles by a watch of its own, within milliseconds",
    _OURS,
    TOLERANCE,
)
CONTAINER_RESTART = Deadline(
    "a container to be started again",
    0,
    "the first restart is immediate, later ones wait 10 s, 20 s, 40 s ...",
    "crash back-off: none before the first restart",
    TOLERANCE,
)
CONTAINER_NOTICED = Deadline(
    "the end of a container to be noticed",
    1,
    "the kubelet asks the container runtime once a second",
    "the kubelet's generic PLEG, whose relist period is 1 s",
    TOLERANCE,
)
METRICS_MEASURED = Deadline(
    "the first values of the metrics API",
    60,
    "what a Pod uses is known once it was measured twice",
    "metrics-server --metric-resolution, as released 15 s, twice, and its own start",
    TOLERANCE,
)
TRIAL_POD = Deadline(
    "a Pod that a capability is tried with", 90, "its image may have to be fetched first", _OURS
)
POLICY_ENFORCED = Deadline(
    "a NetworkPolicy to block what it forbids",
    15,
    "Kubernetes promises no time; network plugins take a second or two",
    _OURS,
    TOLERANCE,
)
EVICTED_FOR_DISK = Deadline(
    "the kubelet to evict a Pod that takes too much disk",
    20,
    "the kubelet looks every 10 s at what containerd measures every 10 s",
    "upstream's eviction monitoring period + containerd's stats_collect_period",
    TOLERANCE,
)
PAGE_UPDATED = Deadline(
    "a web server to serve a page that has changed",
    3,
    "the updater looks at the source every second, and the client asks again and again",
    _OURS,
    TOLERANCE,
)
NODE_ANSWERS = Deadline(
    "a Node's kubelet to take a connection", 3, "a Node that can be reached answers at once", _OURS
)
FAULT_CONFIRMED = Deadline("the fault to take effect", 10, "without it nothing was tried", _OURS, TOLERANCE)
FAULT_LASTS = Deadline(
    "a fault to be undone by whoever injected it",
    120,
    "after that it undoes itself, whatever became of its runner",
    _OURS,
)
RUN_LASTS = Deadline(
    "a run to be over",
    24 * 3600,
    "after that what it has marked on Nodes of others is undone, whatever became of it",
    _OURS,
)
CARRIER_STARTED = Deadline(
    "the container that carries a fault to start",
    60,
    "its image may have to be fetched first",
    _OURS,
    TOLERANCE,
)
FAULT_ENDED = Deadline(
    "what a fault has changed inside a Pod to be as before",
    10,
    "a command in a container undoes it",
    _OURS,
    TOLERANCE,
)
CRASH_BACK_OFF = Deadline(
    "a container that has crashed again and again to be started once more",
    300,
    "the kubelet waits longer each time, up to a limit",
    "crash back-off: 10 s, 20 s, 40 s ... up to five minutes",
    TOLERANCE,
)
GUARD_ENDED = Deadline("a fault's guard to end", 5, "it has nothing left to do", _OURS)
PROGRAM_ANSWERS = Deadline(
    "a program to answer again",
    60,
    "the API server, the slowest of all, is ready 5 s after its start on an idle machine",
    _OURS,
    TOLERANCE,
)
CONTROLLERS_BACK = Deadline(
    "a part of the control plane that is back to act",
    10,
    "it lists all that there is first, and looks for a lease that nobody else holds",
    _OURS,
    TOLERANCE,
)
OBJECTS_STORED = Deadline(
    "objects to be stored",
    30,
    "each takes milliseconds, and a server that was down is back by then",
    _OURS,
    TOLERANCE,
)
OUTAGE_HELD = Deadline(
    "an outage of the control plane to be held",
    10,
    "many times what a request takes, and shorter than a Node may be silent",
    _OURS,
)
ENDPOINT_REMOVED = Deadline(
    "a Service to leave a Pod out",
    1,
    "EndpointSlices follow Pods at once",
    "controllers are driven by events",
    TOLERANCE,
)
NAME_LEARNED = Deadline(
    "the cluster's DNS to know of a change",
    1,
    "it watches Services and EndpointSlices",
    "CoreDNS is driven by events",
    TOLERANCE,
)
SERVICE_PROGRAMMED = Deadline(
    "every Node to know which Pods are behind a Service",
    1,
    "kube-proxy gathers the changes of a moment before it programs its Node's packet filter",
    "kube-proxy's minSyncPeriod, by default 1 s",
    TOLERANCE,
)
REACHABLE = Deadline(
    "requests to get through",
    1,
    "a server listens a moment after its Container starts, and a Service knows of it another moment later",
    "kube-proxy's minSyncPeriod, by default 1 s",
    TOLERANCE,
)
PAGE_ANSWERED = Deadline(
    "a web server to answer a visitor",
    10,
    "its pages take milliseconds, and a dead address says nothing",
    _OURS,
)
CROWD_ANSWERED = Deadline(
    "an app to give as many answers as are to be counted",
    120,
    "its CPU limit makes it slow, and a busy machine slower",
    _OURS,
)
RESIZED = Deadline(
    "a container to have the resources that it was given",
    5,
    "the kubelet changes its control group and looks at it again; no objective names a time",
    _OURS,
    TOLERANCE,
)
UNSCHEDULABLE_NOTICED = Deadline(
    "the scheduler to say that it finds no Node for a Pod",
    1,
    "it looks at each new Pod at once",
    "the scheduler is driven by events",
    TOLERANCE,
)
NODE_BOOT = Deadline(
    "a Node to be Ready after power-on",
    60,
    "containerd and the kubelet start, the kubelet reports",
    _OURS,
    TOLERANCE,
)
SHARE_MOUNTED = Deadline(
    "every Node to have the share mounted",
    30,
    "its server starts, then a Pod on each Node connects to it, trying again for a while",
    _OURS,
    TOLERANCE,
)

TURN = Deadline(
    "a cluster whose control plane may be broken",
    900,
    "there is one at a time, and each takes about a minute, its start included",
    _OURS,
)
NODE_FREE = Deadline(
    "other scenarios to be done with a Node that may be broken",
    600,
    "one scenario at a time breaks it, and each waits for the Node's return",
    _OURS,
)


JOB_TRIES_AGAIN = Deadline(
    "a Job to try again",
    10,
    "after a failure it waits, and longer each time",
    "the Job controller's back-off: 10 s, 20 s, 40 s ... up to six minutes",
    TOLERANCE,
)
SLOW_START = Deadline(
    "an app that starts slowly to be up",
    8,
    "its manifest lets it do nothing for that long",
    "its manifest",
    TOLERANCE,
)


def readiness(pod: Object) -> Deadline:
    """How long after its start a Pod may take to be Ready, by its own probes' fields."""
    slowest = max((_probe_success(container) for container in pod["spec"]["containers"]), default=0.0)
    return Deadline(
        "a started Pod to be Ready",
        slowest,
        "the kubelet asks each period, after the initial delay, until enough answers are good",
        f"its readiness probe: {slowest:g} s" if slowest else "no readiness probe",
        TOLERANCE,
    )


def pod_ready(pod: Object) -> Deadline:
    """From a Pod's creation until it is Ready: upstream's objective and its own probes."""
    return (POD_STARTUP + readiness(pod)).named(
        "a Pod to be Ready", "it is scheduled, its containers start, its readiness checks succeed"
    )


def replacement_ready(pod: Object, noticed: Deadline = CONTROLLER) -> Deadline:
    """From the loss of a Pod until its replacement is Ready; `noticed`: until its controller learns of it."""
    return (noticed + POD_STARTUP + readiness(pod)).named(
        "a replacement to be Ready",
        "its controller makes it, its containers start, its readiness checks succeed",
    )


def termination(pod: Object) -> Deadline:
    """From a Pod's deletion until the API no longer has it: its grace period, then the kubelet's work."""
    grace = float(pod["spec"].get("terminationGracePeriodSeconds", 30))
    own = Deadline(
        "a deleted Pod to be gone",
        grace,
        "its processes may use the whole grace period",
        f"its terminationGracePeriodSeconds: {grace:g} s",
        TOLERANCE,
    )
    return own + POD_REMOVED


def liveness_restart(pod: Object, container: str) -> Deadline:
    """From the first failing check of a container's liveness until the container is running again."""
    spec = next(each for each in pod["spec"]["containers"] if each["name"] == container)
    probe = spec.get("livenessProbe", {})
    period, threshold = probe.get("periodSeconds", 10), probe.get("failureThreshold", 3)
    timeout = probe.get("timeoutSeconds", 1)
    grace = probe.get("terminationGracePeriodSeconds", pod["spec"].get("terminationGracePeriodSeconds", 30))
    own = Deadline(
        "a container that fails its liveness probe to be started again",
        float(period * threshold + timeout + grace),
        "enough checks must fail, then the container has its grace period to end",
        f"its liveness probe: {threshold} failures {period} s apart, {timeout} s timeout, {grace} s grace",
        TOLERANCE,
    )
    return own + CONTAINER_RESTART


_SYNC_JITTER = 0.5
"""By which part of it the kubelet may lengthen any wait before it looks at a Pod again, so that not all of
them come at once: workerBackOffPeriodJitterFactor in its pod_workers.go."""
_SYNC_AGAIN = 10.0 * (1 + _SYNC_JITTER)
"""Seconds. Older kubelets looked only every ten (backOffPeriod), lengthened like that; newer ones know when
the back-off ends, and lengthen the whole of it."""


def crash_back_off(restarts: int) -> Deadline:
    """How long a container that crashed may wait to be started again.

    Args:
        restarts: How often it has been started again before.
    """
    seconds = 0.0 if restarts == 0 else min(10.0 * 2 ** (restarts - 1), 300.0)
    late = max(_SYNC_AGAIN, seconds * _SYNC_JITTER) if seconds else 0.0
    return Deadline(
        "a container that crashed to be started again",
        seconds + late,
        "the kubelet waits longer after each crash, and sees some time later that the wait is over",
        f"crash back-off: {seconds:g} s before restart {restarts + 1}, doubled up to 5 min, assumed, and "
        f"{late:g} s at most until the kubelet looks again",
        TOLERANCE,
    )


def unready(pod: Object) -> Deadline:
    """From the first failing readiness check until the Pod counts as not Ready."""
    slowest = max((_probe_failure(container) for container in pod["spec"]["containers"]), default=0.0)
    return Deadline(
        "a Pod to be noticed as not Ready",
        slowest,
        "enough checks in a row must fail",
        f"its readiness probe: {slowest:g} s",
        TOLERANCE,
    )


def _probe_success(container: Object) -> float:
    probe = container.get("readinessProbe")
    if not probe:
        return 0.0
    # Asked each period from its initial delay on, so one period may pass before the first question.
    delay, period = probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10)
    return float(delay + period * probe.get("successThreshold", 1))


def _probe_failure(container: Object) -> float:
    probe = container.get("readinessProbe")
    if not probe:
        return 0.0
    return float(
        probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3) + probe.get("timeoutSeconds", 1)
    )
