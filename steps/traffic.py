"""Steps about what clients of a workload experience, request by request."""

from __future__ import annotations

from itertools import pairwise

from pytest_bdd import given, then

from podproof.errors import TrialError
from podproof.kube.changes import Mark
from podproof.kube.conditions import demand
from podproof.kube.kinds import POD, name
from podproof.kube.scene import Scene
from podproof.traffic.record import LONGEST_PAUSE, Record, Request, Span
from podproof.traffic.steady import Client, Traffic
from podproof.verdicts.measurements import Measurements
from steps.deployments import NEW, OLD, version

_BRIEF = 0.5
"""Seconds for which a client may send nothing where an outage is to be seen: a Pod takes longer to start."""


@given("steady traffic to its Service", target_fixture="steady")
def steady_traffic(scene: Scene, traffic: Traffic) -> Client:
    """A client asks the Service twenty times a second for the name of the Pod that answers."""
    services = [each.stored for each in scene.namespace.applied if each.stored["kind"] == "Service"]
    if len(services) != 1:
        raise TrialError(f"traffic to its Service needs one Service, and there are {len(services)}")
    [port] = services[0]["spec"]["ports"]
    return traffic.start(f"http://{name(services[0])}:{port['port']}/hostname")


@then("no request was lost")
def nothing_lost(steady: Client, measurements: Measurements) -> None:
    """Every request until now was answered."""
    record = ended(steady, measurements)
    demand(not record.lost, "every request is answered", str(record))


@then("for a while no request was answered")
def outage(steady: Client, measurements: Measurements) -> None:
    """There was an outage, which ended."""
    record = ended(steady, measurements)
    if not record.lost:
        record.demand_steady(_BRIEF)
    longest = max((each.seconds for each in record.outages()), default=0.0)
    expected = f"an outage of {_BRIEF:g} s at least: no Pod starts in less"
    demand(longest >= _BRIEF, expected, f"{longest:.3f} s; {record}")
    demand(record.recovered(), "requests are answered in the end, but for strays", otherwise=str(record))


@then("for a while both versions answered in turns")
def both_versions(scene: Scene, steady: Client, measurements: Measurements) -> None:
    """After the first answer of the new version there were still answers of the old one."""
    versions = _versions(scene, ended(steady, measurements))
    demand(set(versions) == {OLD, NEW}, "both versions answer", _tell(versions))
    overlap = versions[OLD].end - versions[NEW].start
    demand(
        overlap > 0, "the old version still answers after the first answer of the new one", _tell(versions)
    )
    measurements.add("both versions answered", overlap)


@then("the old version answered no more once the new one did")
def one_version_at_a_time(scene: Scene, steady: Client, measurements: Measurements) -> None:
    """The last answer of the old version came before the first one of the new one."""
    versions = _versions(scene, ended(steady, measurements))
    demand(set(versions) == {OLD, NEW}, "both versions answer", _tell(versions))
    demand(versions[OLD].end < versions[NEW].start, "one version after the other", _tell(versions))


@then("only the new version answers in the end")
def new_in_the_end(scene: Scene, steady: Client, completed: Mark, measurements: Measurements) -> None:
    """It answers every request that was sent after the update was complete."""
    _demand_only(scene, steady, measurements, NEW, completed.at)


@then("only the old version has answered")
def only_old(scene: Scene, steady: Client, measurements: Measurements) -> None:
    """It answered every request, to the end."""
    _demand_only(scene, steady, measurements, OLD, steady.since.at)


def _demand_only(scene: Scene, steady: Client, measurements: Measurements, wanted: str, since: float) -> None:
    record = ended(steady, measurements).since(since)
    record.demand_steady()
    versions = _versions(scene, record)
    demand(set(versions) == {wanted}, f"answers of version {wanted} only", _tell(versions))


def ended(steady: Client, measurements: Measurements) -> Record:
    """The client's record, to a second from now; one that has ended already has it."""
    if steady.running:
        steady.go_on()
        record = steady.stop()
        record.demand_steady()
        longest = max((each.seconds for each in record.outages()), default=0.0)
        sent = f"{len(record.requests)} requests, {len(record.lost)} lost"
        known = f"times are known to {record.uncertainty:.3f} s"
        measurements.add("outage", longest, None, f"the longest, to {record.interval:g} s; {sent}")
        measurements.add("traffic", record.seconds, None, known)
        pause = "a longer pause of the client itself could hide an outage"
        measurements.add("longest pause in sending", record.longest_pause, LONGEST_PAUSE, pause)
    return steady.stop()


def _versions(scene: Scene, record: Record) -> dict[str, Span]:
    """When each version answered: a Pod answers with its name, and its specification says what it runs."""
    pods = {name(each.thing): each.thing for each in scene.recording.history(POD)}

    def who(request: Request) -> str:
        if request.answer not in pods:
            raise TrialError(f"an answer is no Pod's name: {request.answer!r}")
        return version(pods[request.answer]["spec"])

    return {each.who: each for each in record.spans(who)}


def _tell(versions: dict[str, Span]) -> str:
    spans = sorted(versions.values(), key=lambda span: span.start)
    told = [
        f"version {each.who} answered {each.count} requests in {each.end - each.start:.2f} s"
        for each in spans
    ]
    between = ""
    for before, after in pairwise(spans):
        gap = after.start - before.end
        meanwhile = "nobody" if gap > 0 else "both"
        between += f"; {meanwhile} for {abs(gap):.2f} s"
    return " and ".join(told) + between if told else "nobody answered"
