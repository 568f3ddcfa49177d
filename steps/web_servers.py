"""Steps about a web server and the Container beside it that updates what it serves."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_bdd import given, parsers, then, when

from podproof.errors import TrialError
from podproof.kube import deadlines, files
from podproof.kube.changes import Mark
from podproof.kube.conditions import demand, preparing
from podproof.kube.execute import Result
from podproof.kube.kinds import POD, Object, uid
from podproof.kube.scene import Scene
from podproof.kube.states import SameInstance, container_status
from podproof.traffic.probe import Inquiry, Reply, Target
from podproof.verdicts.measurements import Measurements
from steps.volumes import demand_unseen

_UPDATERS = {
    "a second Container": "volumes/web-with-updater",
    "a native sidecar": "volumes/web-with-native-sidecar",
}
_SOURCE = "/tmp/pages/index.html"  # noqa: S108 - in a container
_FIRST = "the first version"
"""What manifests/volumes/page-source.yaml has at first."""
_PORT = "9000"
"""A port that nothing of the Pod uses."""
_PROCESSES = "cat /proc/[0-9]*/comm 2>/dev/null; :"


@given(
    parsers.parse("a web server whose page comes from another Service by way of {updater}"),
    target_fixture="pod",
)
def updated_server(scene: Scene, client: Object, updater: str) -> Object:
    """Make source and web server, and wait until the client gets the page; gives the web server's Pod."""
    scene.start_pod("volumes/page-source")
    pod = scene.start_pod(_UPDATERS[updater])
    with preparing("the web server is to serve the page as its source has it at first"):
        _await_page(scene, client, _FIRST)
    return pod


@given("a web server that may only read its pages, and an updater", target_fixture="pod")
def read_only_server(scene: Scene) -> Object:
    """Make a web server with a read-only mount, and beside it an updater without any rights."""
    return scene.start_pod("volumes/web-read-only")


@when("the page is changed at its source", target_fixture="changed")
def change_source(scene: Scene, word: str) -> Mark:
    """Write another page where it comes from; gives the moment."""
    source = next(pod for pod in scene.recording.latest(POD) if pod["metadata"]["name"] == "source")
    changed = scene.recording.mark()
    files.write(scene.api, source, "source", _SOURCE, word)
    return changed


@when("the updater writes a page to the Volume", target_fixture="changed")
def write_page(scene: Scene, pod: Object, word: str) -> Mark:
    """Write it where the web server looks for pages; gives the moment."""
    changed = scene.recording.mark()
    files.write(scene.api, pod, "updater", f"{files.mount_path(pod, 'updater', 'pages')}/index.html", word)
    return changed


@when("the web server tries to write to the Volume", target_fixture="attempt")
def try_to_write(scene: Scene, pod: Object, word: str) -> Result:
    """Try to make a file where its pages are; gives how that ended."""
    path = f"{files.mount_path(pod, 'server', 'pages')}/{word}"
    return files.run(scene.api, pod, "server", 'printf x >"$1"', path)


@when("the web server writes a file outside of the Volume")
def write_outside(scene: Scene, pod: Object, word: str) -> None:
    """Make a file of a unique name where the web server's configuration is."""
    files.write(scene.api, pod, "server", f"/etc/nginx/conf.d/{word}", word)


@when("the updater lists all processes that it sees", target_fixture="processes")
def list_processes(scene: Scene, pod: Object) -> Sequence[str]:
    """Look at the processes in the updater's Container; gives their names."""
    return files.must_run(scene.api, pod, "updater", _PROCESSES).split()


@when("the updater listens on a port")
def listen(scene: Scene, pod: Object) -> None:
    """Let it wait for a connection, and see that it does."""
    script = (
        'nc -l -p "$1" </dev/null >/dev/null 2>&1 & '
        'for _ in 1 2 3 4 5; do netstat -ltn | grep -q ":$1 " && exit 0; sleep 1; done; exit 1'
    )
    files.must_run(scene.api, pod, "updater", script, _PORT)


@then("the web server serves the changed page")
def serves_changed(
    scene: Scene, client: Object, changed: Mark, word: str, measurements: Measurements
) -> None:
    """A request to it is answered with the new page."""
    bound = deadlines.PAGE_UPDATED
    measurements.add("page changed", _await_page(scene, client, word, changed), bound.seconds, bound.origin)


@then("the web server was not restarted for that")
def not_restarted(scene: Scene, pod: Object, changed: Mark) -> None:
    """The same instance of its container has been running all the time."""
    instance = container_status(pod, "server")["containerID"]
    scene.recording.always(SameInstance(uid(pod), "server", instance), changed)


@then("that is refused, because the file system is read-only")
def refused(attempt: Result) -> None:
    """The system's own words say so."""
    said = attempt.stderr.strip()
    demand(
        not attempt.ok and "Read-only file system" in said,
        "a write that fails with 'Read-only file system'",
        f"it succeeded {said}".strip() if attempt.ok else f"it says {said!r}",
    )


@then("the updater has no such file anywhere")
def updater_has_nothing(scene: Scene, pod: Object, word: str) -> None:
    """No path that it sees has that name; the same search finds it in the web server."""
    demand_unseen(scene, pod, "updater", word, seen_by="server")


@then("none of them is the web server's")
def no_server_processes(scene: Scene, pod: Object, processes: Sequence[str]) -> None:
    """No process of a name that runs in the web server's Container; the same look shows them there."""
    own = set(files.must_run(scene.api, pod, "server", _PROCESSES).split())
    if "nginx" not in own:
        raise TrialError(f"the look at processes does not even show the web server's own: {', '.join(own)}")
    demand("nginx" not in processes, "no nginx among the processes", f"there are {', '.join(processes)}")


@then("the web server cannot listen on that port")
def port_is_taken(scene: Scene, pod: Object) -> None:
    """The system refuses it, as the port is in use."""
    result = files.run(scene.api, pod, "server", 'timeout 3 nc -l -p "$1" </dev/null', _PORT)
    demand(
        not result.ok and "Address already in use" in result.stderr,
        "listening fails with 'Address already in use'",
        f"it ends with {result.exit_code}: {result.stderr.strip() or 'it could listen'}",
    )


def _await_page(scene: Scene, client: Object, content: str, since: Mark | None = None) -> float:
    """Ask for the web server's page until it is as wanted; gives the seconds that took."""
    inquiry = Inquiry(scene.api, client, "client", Target("web", 80), "index.html")

    def is_wanted(replies: Sequence[Reply]) -> bool:
        return all(reply.answer is not None and reply.answer.strip() == content for reply in replies)

    wanted = f"a page that reads {content!r}"
    return inquiry.until(is_wanted, wanted, deadlines.PAGE_UPDATED, since=since)
