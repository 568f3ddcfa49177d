"""Steps about what the Containers of a Pod share as the processes of one machine do: localhost, its ports."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, preparing
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import container_status
from podproof.kube.summary import line
from podproof.traffic import probe
from podproof.traffic.probe import Inquiry, Target
from steps.requests import declared_port, demand_answers, demand_silence

_IN_USE = "address already in use"
"""The system's words for EADDRINUSE."""


@when("a Pod with two Containers that listen on the same port is created", target_fixture="pod")
def create_rivals(scene: Scene) -> Object:
    """Make a Pod that cannot become Ready."""
    return scene.apply("communication/same-port")[0]


@then("one of its Containers ends because the port is in use", target_fixture="winner")
def one_ends(scene: Scene, pod: Object) -> str:
    """Its last words say so; gives the name of the other Container."""
    containers = [str(each["name"]) for each in pod["spec"]["containers"]]

    def losers(view: View) -> list[str]:
        known = view.one(POD, uid(pod)) or pod
        return [each for each in containers if _ended_for_port(container_status(known, each))]

    seen = scene.recording.wait_until(
        Check(
            f"one Container ends and says: {_IN_USE}",
            frozenset({POD}),
            lambda view: len(losers(view)) == 1,
            lambda view: line(view.one(POD, uid(pod)) or pod),
        ),
        deadlines.pod_ready(pod),
    )
    return next(each for each in containers if each not in losers(seen.world))


@then("the other one serves on the port undisturbed")
def other_serves(scene: Scene, pod: Object, winner: str) -> None:
    """It runs, was never restarted, and answers."""

    def undisturbed(view: View) -> bool:
        status = container_status(view.one(POD, uid(pod)) or pod, winner)
        return "running" in status.get("state", {}) and status["restartCount"] == 0

    runs = Check(
        f"Container {winner} runs and was never restarted",
        frozenset({POD}),
        undisturbed,
        lambda view: line(view.one(POD, uid(pod)) or pod),
    )
    scene.recording.wait_until(runs, deadlines.pod_ready(pod))
    target = Target("localhost", probe.netexec_port(pod, winner))
    demand_answers(Inquiry(scene.api, pod, winner, target), [pod])


@given("a Pod that serves on its localhost only", target_fixture="pod")
def local_server(scene: Scene) -> Object:
    """Make a Pod with a web server that listens on its own localhost."""
    return scene.start_pod("communication/local-only")


@when(
    parsers.re("the client sends a request to that port of (?P<place>its own localhost|the Pod's address)"),
    target_fixture="inquiry",
)
def ask_from_elsewhere(scene: Scene, client: Object, pod: Object, place: str) -> Inquiry:
    """Ask from another Pod; gives the request."""
    address = pod["status"]["podIP"]
    with preparing("the client is to reach the other Pod at all, at a port that is open to others"):
        demand_answers(Inquiry(scene.api, client, "client", Target(address, _open_port(pod))), [pod])
    host = "localhost" if place == "its own localhost" else address
    return Inquiry(scene.api, client, "client", Target(host, declared_port(pod)))


@then("nobody answers")
def nobody_answers(inquiry: Inquiry) -> None:
    """The request gets nothing, although another port of the same Pod answers."""
    demand_silence(inquiry)


@then("the serving Pod's other Container is answered on localhost")
def neighbour_is_answered(scene: Scene, pod: Object) -> None:
    """The same request, from a Container of the same Pod, gets the server's answer."""
    demand_answers(
        Inquiry(scene.api, pod, "client", Target("localhost", declared_port(pod))), f"{name(pod)}\n"
    )


def _open_port(pod: Object) -> int:
    """The port of the Pod's Container that serves everybody."""
    return probe.netexec_port(pod, "client")


def _ended_for_port(status: Object) -> bool:
    ends = (status.get(key, {}).get("terminated") for key in ("state", "lastState"))
    return any(end and end["exitCode"] and _IN_USE in end.get("message", "") for end in ends)
