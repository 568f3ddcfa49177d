"""Steps about a web app all of whose components are containers of one Pod."""

from __future__ import annotations

from pytest_bdd import given, then, when

from podproof.errors import TrialError
from podproof.faults.pods import Incident
from podproof.kube import deadlines, files
from podproof.kube.conditions import demand
from podproof.kube.kinds import POD, Object, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone
from podproof.traffic import visitor as visits

_NOTES = "/notes"
_ROWS = (
    "MYSQL_PWD=$MARIADB_PASSWORD mariadb --host=127.0.0.1 --user=app --skip-column-names notes "
    "--execute 'SELECT text FROM notes'"
)
_WHERE = """\
readlink /proc/self/ns/net
awk '/32 host/ { print address } { address = $2 }' /proc/net/fib_trie
"""
"""Gives the network namespace, which is a thing of one kernel, then the addresses in it, some twice."""


@given("a web app in one Pod", target_fixture="pod")
def web_app(scene: Scene, visitor: Object) -> Object:
    """Make the Pod and see that its front end answers a visitor."""
    pod = scene.start_pod("pods/web-app")
    if visits.fetch(scene.api, visitor, visits.url(pod, _NOTES)) is None:
        raise TrialError("the front end does not answer a visitor, although the Pod is Ready")
    return pod


@when("a visitor leaves a note at the front end")
def leave_note(scene: Scene, pod: Object, visitor: Object, word: str) -> None:
    """Post a word that stands nowhere else."""
    if visits.post(scene.api, visitor, visits.url(pod, _NOTES), word) is None:
        raise TrialError("the front end does not take the note")


@then("the database has the note in a row")
def in_database(scene: Scene, pod: Object, word: str) -> None:
    """The database itself, asked by its own client, has it once."""
    rows = files.must_run(scene.api, pod, "database", _ROWS).splitlines()
    demand(rows == [word], f"one row that reads {word!r}", f"rows {rows}")


@then("the front end shows the note to the next visitor")
def shown(scene: Scene, pod: Object, visitor: Object, word: str) -> None:
    """It comes back all the way."""
    page = visits.fetch(scene.api, visitor, visits.url(pod, _NOTES))
    demand(page is not None and page.split() == [word], f"a page that reads {word!r}", f"it reads {page!r}")


@when("each of its Containers is asked where it is", target_fixture="places")
def ask_each(scene: Scene, pod: Object) -> dict[str, list[str]]:
    """Look into every container; gives for each its network namespace and then its addresses."""
    return {
        container: files.must_run(scene.api, pod, container, _WHERE).split()
        for container in (each["name"] for each in pod["spec"]["containers"])
    }


@then("all of them have the address of the Pod")
def same_address(pod: Object, places: dict[str, list[str]]) -> None:
    """Each has the address that the Pod is known by."""
    address = pod["status"]["podIP"]
    without = {container: found[1:] for container, found in places.items() if address not in found[1:]}
    demand(not without, f"address {address} in each of {', '.join(places)}", otherwise=f"not in {without}")


@then("all of them are on the same Node")
def same_node(places: dict[str, list[str]]) -> None:
    """They share one network namespace, which is a thing of one kernel and so of one Node."""
    namespaces = {found[0] for found in places.values()}
    demand(len(namespaces) == 1, "one network namespace of all", ", ".join(sorted(namespaces)))


@then("all its Containers have ended when it is gone")
def all_ended(scene: Scene, incident: Incident) -> None:
    """The last that was heard of the Pod is that none of its containers runs any more."""
    pod = uid(incident.pod)
    bound = deadlines.termination(incident.pod)
    seen = scene.recording.wait_until(Gone(POD, pod), bound, incident.since, incident.struck)
    last = seen.world.gone(POD, pod) or incident.pod
    running = [
        each["name"] for each in last["status"]["containerStatuses"] if "terminated" not in each["state"]
    ]
    demand(
        not running,
        "no container that runs",
        otherwise=f"{', '.join(running)} did not end before the Pod was gone",
    )


@then("nothing answers at its address any more")
def silent(scene: Scene, incident: Incident, visitor: Object) -> None:
    """The visitor who was answered before is answered no more."""
    page = visits.fetch(scene.api, visitor, visits.url(incident.pod, _NOTES))
    demand(page is None, "no answer", otherwise=f"an answer: {page!r}")
