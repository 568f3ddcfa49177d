"""Steps about Services: who answers at their names, what these names stand for, what is forwarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_bdd import given, parsers, then, when

from podproof.cluster import bounds, capabilities
from podproof.cluster.base import Cluster
from podproof.errors import TrialError, UsageError
from podproof.faults import pods
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import POD, SERVICE, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import OwnedPodsReady, is_ready, owned, tell_pods
from podproof.traffic import probe
from podproof.traffic.names import LookUp, cluster_domain
from podproof.traffic.probe import Inquiry, Reply, Target
from podproof.verdicts.measurements import Measurements
from steps.requests import MANY, ask_containers, demand_answers, demand_silence, start_client

_DECISIVE = 100
"""Requests for a "never": one Pod of two that is sent any at all is seen with certainty."""


# Services and their clients.


@given(parsers.parse("a headless Service with {count:d} Ready Pods"), target_fixture="replicaset")
def headless(scene: Scene, count: int) -> Object:
    """Make Pods behind a Service that has no address of its own; gives their ReplicaSet."""

    def resize(thing: Object) -> None:
        if "replicas" in thing["spec"]:
            thing["spec"]["replicas"] = count

    replicaset = scene.apply("communication/headless", resize)[0]
    bound = deadlines.replacement_ready(replicaset["spec"]["template"])
    scene.recording.wait_until(OwnedPodsReady(uid(replicaset), count), bound)
    return replicaset


@given("a Service that declares the port of the first Container only")
def one_port(scene: Scene) -> None:
    """Make a Service for one of the Pod's two ports."""
    scene.apply("communication/service-for-first")


@given("no Service")
def no_service(scene: Scene) -> None:
    """Make sure that the namespace has none."""
    if found := scene.api.list(SERVICE, scene.namespace.name)["items"]:
        raise TrialError(f"there is a Service already: {name(found[0])}")


@given("a client Pod that gets answers at the Service's name", target_fixture="client")
def served_client(scene: Scene, replicaset: Object) -> Object:
    """Make a client, and see that all Pods of the ReplicaSet answer it at the Service's name."""
    client = start_client(scene)
    with preparing("the Pods are to answer at the Service's name"):
        demand_answers(_at_name(scene, client), scene.owned(POD, replicaset), deadlines.SERVICE_PROGRAMMED)
    return client


# Who answers.


@when(
    parsers.re(
        "the client sends requests to the Service's (?P<form>short name|name with its namespace|full name)"
    ),
    target_fixture="inquiry",
)
def ask_by_name(scene: Scene, client: Object, form: str) -> Inquiry:
    """Ask by one of the forms of its name; gives the request."""
    service = _service(scene)
    short = name(service)
    host = {
        "short name": short,
        "name with its namespace": f"{short}.{scene.namespace.name}",
        "full name": _full_name(scene, client, service),
    }[form]
    return _at_name(scene, client, host)


@when("the client sends requests to both Containers' ports at the Service's name", target_fixture="inquiries")
def ask_both(scene: Scene, client: Object, pod: Object) -> dict[str, Inquiry]:
    """Ask for both Containers of the Pod where only the Service is; gives a request for each."""
    return ask_containers(scene, client, pod, name(_service(scene)))


@when("every Pod behind the Service is deleted", target_fixture="incident")
def delete_all(scene: Scene, replicaset: Object) -> Incident:
    """Delete all Pods of the ReplicaSet; gives what befell the first."""
    first, *others = scene.owned(POD, replicaset)
    incident = pods.delete(scene, first)
    for pod in others:
        pods.delete(scene, pod)
    return incident


@then(parsers.parse("the {count:d} Pods behind the Service answer"))
def pods_answer(scene: Scene, inquiry: Inquiry, replicaset: Object, count: int) -> None:
    """Every request is answered, by one Pod or the other, and each Pod answers some."""
    behind = scene.owned(POD, replicaset)
    demand(len(behind) == count, f"{count} Pods behind the Service", tell_pods(behind))
    demand_answers(inquiry, behind, deadlines.SERVICE_PROGRAMMED)


@then(parsers.parse("{count:d} brand-new Pods answer at the Service's name"), target_fixture="inquiry")
def new_pods_answer(
    scene: Scene,
    client: Object,
    replicaset: Object,
    incident: Incident,
    count: int,
    measurements: Measurements,
) -> Inquiry:
    """Pods that were not there before answer all requests, before long; gives the request."""

    def newcomers(view: View) -> list[Object]:
        return [pod for pod in owned(view, POD, uid(replicaset)) if uid(pod) not in incident.known]

    bound = deadlines.replacement_ready(replicaset["spec"]["template"])
    seen = scene.recording.wait_until(
        Check(
            f"{count} brand-new Pods are Ready",
            frozenset({POD}),
            lambda view: sum(is_ready(pod) for pod in newcomers(view)) == count,
            lambda view: tell_pods(newcomers(view)),
            several=True,
        ),
        bound,
        incident.since,
        incident.struck,
    )
    inquiry = _at_name(scene, client)
    limit = deadlines.SERVICE_PROGRAMMED
    programming = demand_answers(inquiry, newcomers(seen.world), limit, seen)
    measurements.add("only new Pods answer, after they were Ready", programming, limit.seconds, limit.origin)
    return inquiry


@then("nobody else answers there")
def only_they_answer(scene: Scene, inquiry: Inquiry, replicaset: Object) -> None:
    """From then on, no request is answered by anybody else, or not at all."""
    _demand_never_else(inquiry, scene.owned(POD, replicaset))


@then("the Ready Pod answers all requests to the Service's name")
def ready_answers(
    scene: Scene, client: Object, replicaset: Object, incident: Incident, measurements: Measurements
) -> None:
    """The other Pod gets none, from the moment on at which the Nodes know that it is not Ready."""
    rest = [pod for pod in scene.owned(POD, replicaset) if uid(pod) != uid(incident.pod)]
    noticed = scene.recording.mark()
    inquiry = _at_name(scene, client)
    limit = deadlines.SERVICE_PROGRAMMED

    def only_rest(replies: Sequence[Reply]) -> bool:
        return probe.all_answered(replies) and probe.answers(replies) == {name(pod) for pod in rest}

    took = inquiry.until(only_rest, "answers of the Ready Pod alone", limit, times=MANY, since=noticed)
    measurements.add("no request to the unready Pod", took, limit.seconds, limit.origin)
    _demand_never_else(inquiry, rest)


# What the name stands for.


@when("the client looks up the Service's full name", target_fixture="look_up")
def look_up_name(scene: Scene, client: Object) -> LookUp:
    """Ask the cluster's DNS for addresses; gives the question."""
    return LookUp(scene.api, client, "client", _full_name(scene, client, _service(scene)))


@when("the client looks up the Service's port by the port's name", target_fixture="look_up")
def look_up_port(scene: Scene, client: Object) -> LookUp:
    """Ask the cluster's DNS for a port (a SRV record); gives the question."""
    service = _service(scene)
    port = service["spec"]["ports"][0]
    full = f"_{port['name']}._{port['protocol'].lower()}.{_full_name(scene, client, service)}"
    return LookUp(scene.api, client, "client", full, ports=True)


@when("the Service is deleted", target_fixture="deletion")
def delete_service(scene: Scene, client: Object) -> Mark:
    """Make sure that its full name is known, then delete it; gives the moment between the two."""
    service = _service(scene)
    if not look_up_name(scene, client).find():
        raise TrialError("the Service's full name is not even known before the Service is deleted")
    since = scene.recording.mark()
    scene.api.delete(SERVICE, scene.namespace.name, name(service), uid=uid(service))
    return since


@then("it finds nothing but the Service's own address")
def finds_own_address(cluster: Cluster, scene: Scene, look_up: LookUp) -> None:
    """The one address that the API server gave the Service; with two kinds of address, both."""
    _demand_found(cluster, look_up, set(_service(scene)["spec"]["clusterIPs"]))


@then("it finds the port's number at the Service's full name")
def finds_port(cluster: Cluster, scene: Scene, client: Object, look_up: LookUp) -> None:
    """The number that the Service declares, and the name to use it with."""
    service = _service(scene)
    number = service["spec"]["ports"][0]["port"]
    _demand_found(cluster, look_up, {f"{number} of {_full_name(scene, client, service)}"})


@then("it finds nothing but the addresses of its Pods")
def finds_pods(cluster: Cluster, scene: Scene, replicaset: Object, look_up: LookUp) -> None:
    """The addresses of all Pods behind the Service."""
    found = scene.owned(POD, replicaset)
    _demand_found(cluster, look_up, {pod["status"]["podIP"] for pod in found})


@then("the Service's full name is unknown")
def name_unknown(
    cluster: Cluster, scene: Scene, client: Object, deletion: Mark, measurements: Measurements
) -> None:
    """The cluster's DNS knows no address for it, once it may have forgotten what it knew."""
    look_up = look_up_name(scene, client)
    bound = bounds.name_current(cluster.settings())
    took = look_up.until(lambda found: not found, f"no address for {look_up.name}", bound, deletion)
    measurements.add("name forgotten", took, bound.seconds, bound.origin)


# What a policy forbids.


@given("a cluster that enforces NetworkPolicies")
def enforcing_cluster(cluster: Cluster, scene: Scene) -> None:
    """Ask for one: not every network does."""
    capabilities.require(cluster, scene.api, capabilities.NETWORK_POLICY)


@given("two client Pods that get answers at the Pod's own address", target_fixture="clients")
def two_clients(scene: Scene, pod: Object) -> Mapping[str, Object]:
    """Make two, the first with the label that the policy will ask for; gives them by their order's word."""

    def start(which: str) -> Object:
        def label(thing: Object) -> None:
            thing["metadata"]["name"] = f"{which}-client"
            thing["metadata"]["labels"]["admitted"] = "true" if which == "first" else "false"

        client = scene.start_pod("communication/client", label)
        with preparing(f"the {which} client is to get answers before there is a policy"):
            for container, inquiry in _at_own_address(scene, client, pod).items():
                demand_answers(inquiry, container)
        return client

    return {which: start(which) for which in ("first", "second")}


@when("a NetworkPolicy admits the first client only", target_fixture="admission")
def admit_first(scene: Scene) -> Mark:
    """Make a policy that names the first client's label; gives the moment just before."""
    since = scene.recording.mark()
    scene.apply("communication/network-policy")
    return since


@then("the second client gets no answer at the Pod's own address")
def second_is_cut_off(
    scene: Scene, clients: Mapping[str, Object], pod: Object, admission: Mark, measurements: Measurements
) -> None:
    """Neither Container answers it any more."""
    first, *others = _at_own_address(scene, clients["second"], pod).values()
    bound = deadlines.POLICY_ENFORCED
    took = first.until(probe.none_answered, f"no answer at {first.target}", bound, since=admission)
    measurements.add("policy enforced", took, bound.seconds, bound.origin)
    for inquiry in (first, *others):
        demand_silence(inquiry)


@then("the first client still gets answers there")
def first_is_admitted(scene: Scene, clients: Mapping[str, Object], pod: Object) -> None:
    """Both Containers answer it."""
    for container, inquiry in _at_own_address(scene, clients["first"], pod).items():
        demand_answers(inquiry, container)


def _service(scene: Scene) -> Object:
    """The Service of the scenario, as the server stored it.

    Raises:
        UsageError: There is not exactly one, so the manifests are others than the steps expect.
    """
    services = [each.stored for each in scene.namespace.applied if each.stored["kind"] == SERVICE.name]
    if len(services) != 1:
        raise UsageError(f"the scenario should have one Service, not {len(services)}")
    return services[0]


def _full_name(scene: Scene, client: Object, service: Object) -> str:
    return f"{name(service)}.{scene.namespace.name}.svc.{cluster_domain(scene.api, client, 'client')}"


def _at_name(scene: Scene, client: Object, host: str = "") -> Inquiry:
    """A request to the Service's declared port, by its short name unless another is given."""
    service = _service(scene)
    port = service["spec"]["ports"][0]["port"]
    return Inquiry(scene.api, client, "client", Target(host or name(service), port))


def _at_own_address(scene: Scene, client: Object, pod: Object) -> dict[str, Inquiry]:
    return ask_containers(scene, client, pod, pod["status"]["podIP"])


def _demand_never_else(inquiry: Inquiry, wanted: Sequence[Object]) -> None:
    names = {name(pod) for pod in wanted}
    replies = inquiry.send(_DECISIVE)
    demand(
        probe.all_answered(replies) and probe.answers(replies) <= names,
        f"{_DECISIVE} answers, all of them from {' and '.join(sorted(names))}",
        probe.tell(replies),
    )


def _demand_found(cluster: Cluster, look_up: LookUp, wanted: set[str]) -> None:
    bound = bounds.name_current(cluster.settings())
    look_up.until(
        lambda found: found == wanted, f"{look_up.name} stands for {', '.join(sorted(wanted))}", bound
    )
