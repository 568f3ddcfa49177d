"""Steps of the lab on communication between Pods, with the commands that its README tells."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_bdd import given, then, when

from podproof.errors import TrialError
from podproof.faults import pods
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.execute import execute
from podproof.kube.kinds import DEPLOYMENT, POD, Object, name, uid
from podproof.kube.rollouts import pods_of
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, is_ready, tell_pods
from podproof.traffic.again import ask_until
from podproof.verdicts.measurements import Measurements

_PATIENCE = "5"  # seconds, for `timeout`: wget itself would wait for minutes
_REQUESTS = 12
"""Requests in a row: that one of two Pods is never chosen by chance happens once in two thousand rounds."""


@given("the lab's app", target_fixture="app")
def start_app(scene: Scene) -> Object:
    """Apply it and wait until all its Pods are Ready; gives its Deployment."""
    app = next(thing for thing in scene.apply("communication/lab-web") if thing["kind"] == DEPLOYMENT.name)
    bound = deadlines.replacement_ready(app["spec"]["template"])
    with preparing("the lab's app is to be started"):
        scene.recording.wait_until(_all_ready(app, frozenset()), bound)
    return app


@given("the lab's client", target_fixture="client")
def start_client(scene: Scene) -> Object:
    """Apply it and wait until it is Ready."""
    return scene.start_pod("communication/lab-client")


@given("the lab's Service")
@when("the lab's Service is applied")
def apply_service(scene: Scene) -> None:
    """Apply it."""
    scene.apply("communication/lab-service")


@when("the client asks for the page at the address of each Pod", target_fixture="pages")
def ask_each(scene: Scene, app: Object, client: Object) -> Mapping[str, str | None]:
    """Ask each Pod for its page; gives the pages by the Pods' names, None for one that did not come."""
    return {name(pod): _page(scene, client, pod["status"]["podIP"]) for pod in _pods_of(scene, app)}


@when("all Pods of the app are deleted", target_fixture="incidents")
def delete_all(scene: Scene, app: Object, client: Object) -> list[Incident]:
    """Delete them, one straight after the other; until then each serves the client its page."""
    with preparing("the client is to get the page of each Pod"):
        own_pages(ask_each(scene, app, client))
    return [pods.delete(scene, pod) for pod in _pods_of(scene, app)]


@then("each Pod of the app answers with its own page")
def own_pages(pages: Mapping[str, str | None]) -> None:
    """Each page has the name of the Pod that it was asked of."""
    wanted = {pod: _page_of(pod) for pod in pages}
    demand(pages == wanted, f"the pages {wanted}", f"the pages {dict(pages)}")


@then("brand-new Pods of the app are Ready", target_fixture="newcomers")
def brand_new(
    scene: Scene, app: Object, incidents: list[Incident], measurements: Measurements
) -> list[Object]:
    """As many as the app is to have, none of which was there before; gives them."""
    first = incidents[0]
    bound = deadlines.replacement_ready(app["spec"]["template"])
    seen = scene.recording.wait_until(_all_ready(app, first.known), bound, first.since, incidents[-1].struck)
    measurements.add("recovery", seen.at - first.since.at, bound.seconds, bound.origin)
    return _pods_of(scene, app)


@then("the client gets no page of the app at the addresses of the deleted Pods")
def no_page(scene: Scene, client: Object, incidents: list[Incident], newcomers: list[Object]) -> None:
    """Nobody of the app answers there any more."""
    given_again = {pod["status"]["podIP"] for pod in newcomers}
    pages = {_page_of(name(each.pod)) for each in incidents}
    for incident in incidents:
        lost = incident.pod
        scene.recording.wait_until(
            Gone(POD, uid(lost)), deadlines.termination(lost), incident.since, incident.struck
        )
        address = lost["status"]["podIP"]
        if address in given_again:
            raise TrialError("a new Pod of the app happens to have been given the address of a deleted one")
        page = _page(scene, client, address)
        demand(
            page not in pages,
            f"no page of the deleted Pods at {address}",
            f"the page {page!r}" if page else "no page",
        )


@then("the client gets the pages of all Pods of the app at the Service's name")
def pages_by_name(scene: Scene, app: Object, client: Object, measurements: Measurements) -> None:
    """Before long every request gets a page, and each Pod serves some of them."""
    wanted = {_page_of(name(pod)) for pod in _pods_of(scene, app)}
    bound = deadlines.SERVICE_PROGRAMMED
    took = ask_until(
        lambda: _pages(scene, client, "web"),
        lambda pages: pages == wanted,
        f"the pages {sorted(wanted)}",
        lambda pages: f"the pages {pages}",
        bound,
    )
    measurements.add("pages at the Service's name", took, bound.seconds, bound.origin)


def _all_ready(app: Object, before: frozenset[str]) -> Check:
    """The app has as many Pods as it is to have, all of them Ready and none of them one of before."""
    count = app["spec"]["replicas"]

    def holds(view: View) -> bool:
        there = _there(view, app)
        return len(there) == count and all(is_ready(pod) and uid(pod) not in before for pod in there)

    return Check(
        f"{count} Ready Pods" + (", all of them brand-new" if before else ""),
        frozenset({POD}),
        holds,
        lambda view: tell_pods(_there(view, app)),
    )


def _pods_of(scene: Scene, app: Object) -> list[Object]:
    """The app's Pods that are not on their way out."""
    scene.recording.catch_up((POD,))
    return _there(scene.recording.world(), app)


def _there(view: View, app: Object) -> list[Object]:
    return [pod for pod in pods_of(view, app) if "deletionTimestamp" not in pod["metadata"]]


def _pages(scene: Scene, client: Object, host: str) -> set[str | None]:
    """The different pages of several requests in a row, which end with the first that gets none."""
    pages: set[str | None] = set()
    for _ in range(_REQUESTS):
        pages.add(_page(scene, client, host))
        if None in pages:
            break
    return pages


def _page(scene: Scene, client: Object, host: str) -> str | None:
    """The page that the client gets from a host, or None if it gets none."""
    command = ["timeout", _PATIENCE, "wget", "-q", "-O", "-", f"http://{host}"]
    result = execute(scene.api, scene.namespace.name, name(client), "shell", command)
    return result.stdout if result.ok else None


def _page_of(pod: str) -> str:
    return f"Hello from {pod}\n"
