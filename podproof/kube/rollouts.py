"""What is asked of a Deployment while an update is rolled out."""

from __future__ import annotations

from collections.abc import Callable

from podproof.kube import deadlines, summary
from podproof.kube.conditions import Check, View
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import DEPLOYMENT, POD, Object, uid
from podproof.kube.states import Noticed, is_ready, tell_pods


def pods_of(view: View, deployment: Object) -> list[Object]:
    """The Pods that a Deployment's selector matches, those on their way out too, whoever owns them."""
    wanted = deployment["spec"]["selector"]["matchLabels"].items()
    return [pod for pod in view.all(POD) if wanted <= pod["metadata"].get("labels", {}).items()]


def finished(deployment: Object) -> Check:
    """The Deployment has been rolled out as last specified here, judged as `kubectl rollout status` does.

    Args:
        deployment: As it was stored when it was last changed.
    """
    counted = ("replicas", "updatedReplicas", "availableReplicas")
    noticed = Noticed(DEPLOYMENT, uid(deployment), deployment["metadata"]["generation"])

    def test(view: View) -> bool:
        known = view.one(DEPLOYMENT, uid(deployment))
        if known is None or not noticed.holds(view):
            return False
        return [known["status"].get(key, 0) for key in counted] == [known["spec"]["replicas"]] * len(counted)

    return Check("the Deployment has been rolled out", frozenset({DEPLOYMENT}), test, _tell(deployment))


def stuck(deployment: Object) -> Check:
    """The Deployment reports that what was last specified here does not progress.

    Args:
        deployment: As it was stored when it was last changed.
    """
    noticed = Noticed(DEPLOYMENT, uid(deployment), deployment["metadata"]["generation"])

    def test(view: View) -> bool:
        known = view.one(DEPLOYMENT, uid(deployment))
        if known is None or not noticed.holds(view):
            return False
        progressing = _condition(known, "Progressing")
        return (progressing.get("status"), progressing.get("reason")) == ("False", "ProgressDeadlineExceeded")

    return Check(
        "the Deployment reports ProgressDeadlineExceeded", frozenset({DEPLOYMENT}), test, _tell(deployment)
    )


def available(deployment: Object, count: int) -> Check:
    """At least so many of the Deployment's Pods are available: Ready and not told to end."""

    def ready(view: View) -> int:
        return sum(is_ready(pod) for pod in pods_of(view, deployment))

    return Check(
        f"at least {count} Pods available",
        frozenset({POD}),
        lambda view: ready(view) >= count,
        lambda view: f"{ready(view)} available of {tell_pods(pods_of(view, deployment))}",
    )


def fewest_available(deployment: Object) -> int:
    """How many Pods a rolling update must leave available at any time, by the Deployment's own fields.

    Source: kubernetes.io/docs/concepts/workloads/controllers/deployment, "Max Unavailable": a percentage is
    rounded down.
    """
    replicas: int = deployment["spec"]["replicas"]
    allowed: str | int = deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"]
    if isinstance(allowed, str):
        allowed = replicas * int(allowed.removesuffix("%")) // 100
    return replicas - allowed


def duration(deployment: Object) -> Deadline:
    """How long a rollout may take until all new Pods are available: at worst one Pod after the other."""
    template = deployment["spec"]["template"]
    bound = deadlines.replacement_ready(template) * int(deployment["spec"]["replicas"])
    if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
        bound = deadlines.termination(template) + bound
    return bound.named("a rollout", "at worst, one Pod is replaced after the other")


def given_up(deployment: Object) -> Deadline:
    """How long it may take until a rollout that does not progress is reported."""
    seconds = float(deployment["spec"]["progressDeadlineSeconds"])
    own = Deadline(
        "a rollout that does not progress to be reported",
        seconds,
        "it counts from the last progress, which is the start of the new Pods",
        f"its progressDeadlineSeconds: {seconds:g} s",
        deadlines.TOLERANCE,
    )
    return deadlines.CONTROLLER + own


def _condition(deployment: Object, kind: str) -> Object:
    conditions = deployment.get("status", {}).get("conditions", ())
    return next((each for each in conditions if each["type"] == kind), {})


def _tell(deployment: Object) -> Callable[[View], str]:
    def tell(view: View) -> str:
        known = view.one(DEPLOYMENT, uid(deployment))
        if known is None:
            return "the Deployment does not exist"
        progressing = _condition(known, "Progressing")
        return f"{summary.line(known)}; it says: {progressing.get('message') or 'nothing'}"

    return tell
