"""Steps about Pods that send requests, and about who answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_bdd import given, parsers, then, when

from podproof.cluster import capabilities
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.conditions import demand, preparing
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone
from podproof.traffic import probe
from podproof.traffic.probe import Inquiry, Protocol, Reply, Target
from steps.nodes import node_of, other_node, place

MANY = 40
"""Requests in a row: that one of two Pods is never chosen by chance is less likely than one in 10^11."""

_PROTOCOLS: dict[str, Protocol] = {"TCP": "http", "UDP": "udp"}
_WHO: dict[Protocol, str] = {"http": "envvar?var=CONTAINER", "udp": "envvar CONTAINER"}
"""How a container of manifests/communication/two-servers.yaml is asked for its own name."""


# Clients.


@given("a client Pod", target_fixture="client")
def start_client(scene: Scene) -> Object:
    """Make a Pod that can send requests."""
    return scene.start_pod("communication/client")


@given(parsers.re("a client Pod on (?P<where>the same Node|another Node)"), target_fixture="client")
def start_client_there(cluster: Cluster, scene: Scene, pod: Object, where: str) -> Object:
    """Make it on the Node of the Pod that is to be asked, or on another."""
    if where == "another Node":
        capabilities.require(cluster, scene.api, capabilities.TWO_NODES)
    node = node_of(scene, pod) if where == "the same Node" else other_node(scene, pod)
    return scene.start_pod("communication/client", lambda thing: place(thing, node))


@given("a client Pod that gets answers at the Pods' own addresses", target_fixture="client")
def served_client(scene: Scene, replicaset: Object) -> Object:
    """Make it, and see that each Pod of the ReplicaSet answers it."""
    client = start_client(scene)
    with preparing("each Pod is to answer at its own address"):
        for pod in scene.owned(POD, replicaset):
            demand_answers(at_address(scene, client, pod), [pod])
    return client


# Containers that serve: manifests/communication/two-servers.yaml.


@given("a Pod with two Containers that serve on undeclared ports", target_fixture="pod")
def two_servers(scene: Scene) -> Object:
    """Make a Pod that declares no port, whose Containers each serve on ports of their own."""
    return scene.start_pod("communication/two-servers")


@when(
    parsers.re(
        "the (?P<caller>first|second) Container sends a (?P<protocol>TCP|UDP) request on localhost "
        "to the port of the (?P<other>first|second)"
    ),
    target_fixture="inquiries",
)
def ask_on_localhost(scene: Scene, pod: Object, caller: str, protocol: str, other: str) -> dict[str, Inquiry]:
    """Let one Container ask the other, by the name that means this machine; gives the request."""
    return {other: _ask_container(scene, pod, caller, "localhost", pod, other, _PROTOCOLS[protocol])}


@when(
    "the client sends requests to both Containers' ports at the Pod's own address", target_fixture="inquiries"
)
def ask_both(scene: Scene, client: Object, pod: Object) -> dict[str, Inquiry]:
    """Ask both Containers where they are; gives a request for each."""
    return ask_containers(scene, client, pod, pod["status"]["podIP"])


@then(parsers.re("the (?P<container>first|second) Container answers"))
def container_answers(inquiries: Mapping[str, Inquiry], container: str) -> None:
    """It is that Container, and no other, that answers at its port."""
    demand_answers(inquiries[container], container)


@then(parsers.re("nobody answers at the port of the (?P<container>first|second) Container"))
def container_is_silent(inquiries: Mapping[str, Inquiry], container: str) -> None:
    """A request to its port gets nothing."""
    demand_silence(inquiries[container])


@then(parsers.re("the (?P<container>first|second) Container answers at the Pod's own address"))
def container_answers_there(scene: Scene, client: Object, pod: Object, container: str) -> None:
    """A request to the same port of the Pod's own address is answered by that Container."""
    demand_answers(ask_containers(scene, client, pod, pod["status"]["podIP"])[container], container)


# Pods of a ReplicaSet.


@then("the client gets an answer at the address of the brand-new Pod")
def replacement_answers(scene: Scene, client: Object, replacement: Object) -> None:
    """The Pod that took the place answers at its own address."""
    demand_answers(at_address(scene, client, replacement), [replacement])


@then("the unready Pod answers at its own address")
def unready_answers(scene: Scene, client: Object, incident: Incident) -> None:
    """It serves as before, to whoever asks it directly."""
    demand_answers(at_address(scene, client, incident.pod), [incident.pod])


@then("no Pod of the ReplicaSet answers at the address of the lost Pod")
def address_is_lost(scene: Scene, client: Object, replicaset: Object, incident: Incident) -> None:
    """Nobody answers there; or a stranger, as addresses are given out again after a while."""
    lost = incident.pod
    scene.recording.wait_until(
        Gone(POD, uid(lost)), deadlines.termination(lost), incident.since, incident.struck
    )
    pods = scene.owned(POD, replicaset)
    if any(pod["status"].get("podIP") == lost["status"]["podIP"] for pod in pods):
        raise TrialError("a Pod of the ReplicaSet happens to have been given the address of the lost one")
    replies = at_address(scene, client, lost).send()
    of_ours = probe.answers(replies) & {name(pod) for pod in [lost, *pods]}
    demand(not of_ours, "no answer of the ReplicaSet's Pods there", probe.tell(replies))


# For steps of other modules.


def at_address(scene: Scene, client: Object, pod: Object) -> Inquiry:
    """A request to the one declared port of a Pod at its own address."""
    return Inquiry(scene.api, client, "client", Target(pod["status"]["podIP"], declared_port(pod)))


def ask_containers(scene: Scene, client: Object, pod: Object, host: str) -> dict[str, Inquiry]:
    """A request to the port of each of a Pod's Containers, at any host; by the Container's name."""
    return {
        each["name"]: _ask_container(scene, client, "client", host, pod, each["name"], "http")
        for each in pod["spec"]["containers"]
    }


def declared_port(pod: Object) -> int:
    """The first port that a Pod declares."""
    ports = (port["containerPort"] for each in pod["spec"]["containers"] for port in each.get("ports", ()))
    return int(next(ports))


def demand_silence(inquiry: Inquiry) -> None:
    """A request gets nothing, although its host can be looked up."""
    replies = inquiry.send()
    if any(reply.error == probe.NAME_UNKNOWN for reply in replies):
        raise TrialError(f"{inquiry.target.host} cannot be looked up, so nobody was asked")
    demand(probe.none_answered(replies), f"no answer at {inquiry.target}", probe.tell(replies))


def demand_answers(
    inquiry: Inquiry,
    wanted: str | Sequence[Object],
    bound: Deadline = deadlines.REACHABLE,
    since: Mark | None = None,
) -> float:
    """Before long all requests are answered, by these Pods or with this text; gives the seconds until then.

    Where there are several Pods, each of them has to answer some.
    """
    names = {wanted} if isinstance(wanted, str) else {name(pod) for pod in wanted}

    def answered(replies: Sequence[Reply]) -> bool:
        return probe.all_answered(replies) and probe.answers(replies) == names

    return inquiry.until(
        answered,
        f"answers of {' and '.join(map(str.strip, sorted(names)))} at {inquiry.target}, and of nobody else",
        bound,
        times=1 if len(names) == 1 else MANY,
        since=since,
    )


def _ask_container(
    scene: Scene, client: Object, caller: str, host: str, pod: Object, container: str, protocol: Protocol
) -> Inquiry:
    target = Target(host, probe.netexec_port(pod, container, protocol), protocol)
    return Inquiry(scene.api, client, caller, target, _WHO[protocol])
