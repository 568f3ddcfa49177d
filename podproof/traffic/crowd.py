"""A crowd of clients that together ask for more than an app can serve, and what it serves then.

Each client asks again as soon as it is answered, so the app always has as many requests as there are clients:
what comes back in a second is all that the app can give. The crowd of `manifests/pods/crowd.yaml` writes down
when each answer came, and which Pod gave it; the answer also says how much the kernel has held that Pod back
for its CPU limit, and how much CPU time it has used (`manifests/pods/busy.yaml`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from podproof.errors import TrialError
from podproof.kube import deadlines
from podproof.kube.client import Api
from podproof.kube.execute import execute
from podproof.kube.kinds import Object, name

CLIENTS = 30
"""How many clients the manifest has."""

_HELD_BACK = 0.7
"""In which share of the kernel's periods a Pod must be held back at least to be sure of it.

A Pod that always has requests, and gets all the CPU time that its limit allows, is held back in each. It is
not in the few in which the requests, spread at random, leave it without one, and in those in which a machine
that is busy with other things gives it less than its limit: then it is the machine that bounds it.
"""

_CERTAINLY = 0.85
"""From which share on nothing but the limit can have bounded a Pod noticeably."""

_WINDOWS = 12
"""How often to look, for 5 to 10 s each, until nothing but its limit bounds the app.

Other work on the machine comes and goes: whatever other scenarios start has started within a minute.
"""

_LOST = " lost"

_COLLECT = 'have=$(wc -l </tmp/answers); tail -n +$((have + 1)) -f /tmp/answers | head -n "$1"'
"""Gives the next so many answers as they come."""


@dataclass(frozen=True, slots=True)
class _Answer:
    at: float
    pod: str
    periods: int
    held_back: int
    used: int
    """Microseconds of CPU time."""


@dataclass(frozen=True, slots=True)
class Load:
    """What an app has served while the crowd asked for more.

    Attributes:
        answers: How many answers came.
        seconds: In which time.
        by_pod: How many of them each Pod gave, by its name.
        held_back: In which share of the kernel's periods each Pod was held back for its CPU limit.
        cost: How many seconds of CPU time an answer took, in the mean over all Pods.
        lost: How many requests got no answer meanwhile.
    """

    answers: int
    seconds: float
    by_pod: dict[str, int]
    held_back: dict[str, float]
    cost: float
    lost: int = 0

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return self.answers / self.seconds

    @property
    def cpu(self) -> float:
        """How many seconds of CPU time all Pods used in a second."""
        return self.cost * self.per_second

    @property
    def is_bounded(self) -> bool:
        """Whether it was the Pods' CPU limit that bounded each, and neither the machine nor the network."""
        return not self.lost and all(share >= _HELD_BACK for share in self.held_back.values())

    @property
    def is_certain(self) -> bool:
        """Whether the machine had no noticeable part in what bounded the Pods."""
        return all(share >= _CERTAINLY for share in self.held_back.values())

    @classmethod
    def of(cls, lines: Sequence[str]) -> Load:
        """What lines of the crowd's tell, in the order of time.

        Each is ``<seconds> <Pod> <periods> <held back> <microseconds of CPU time>``, or ``<seconds> lost``
        for a request without an answer. The first answer begins the time that is looked at, and does not
        count itself.

        Raises:
            TrialError: They tell something else, or nothing.
        """
        answered = [line for line in lines if not line.endswith(_LOST)]
        told = [_answer(line) for line in answered]
        counted = told[1:]
        seconds = counted[-1].at - told[0].at if counted else 0.0
        if seconds <= 0:
            raise TrialError(f"{len(lines)} answers came at once: there is nothing to measure")
        of_pod: dict[str, list[_Answer]] = {}
        for each in counted:
            of_pod.setdefault(each.pod, []).append(each)
        return cls(
            len(counted),
            seconds,
            {pod: len(answers) for pod, answers in of_pod.items()},
            {pod: _share_held_back(answers) for pod, answers in of_pod.items()},
            _cost(of_pod.values()),
            len(lines) - len(answered),
        )

    def __str__(self) -> str:
        parts = ", ".join(
            f"{pod} {count} (held back in {self.held_back[pod]:.0%} of all periods)"
            for pod, count in sorted(self.by_pod.items())
        )
        return (
            f"{self.answers} answers in {self.seconds:.1f} s, {self.per_second:.1f} per second, "
            f"{self.cost * 1000:.1f} ms of CPU time each, {self.cpu:.3f} CPUs in all"
            f"{f', {self.lost} requests lost' if self.lost else ''}: {parts}"
        )


def collect(api: Api, crowd: Object, answers: int) -> Load:
    """Look at the next so many answers that the crowd gets.

    Args:
        api: The server.
        crowd: The crowd's Pod.
        answers: How many; the first `CLIENTS` come on top, and are only waited for: they may have been
            asked for before whatever has just been changed.

    Raises:
        TrialError: They did not come in time, or tell nothing.
    """
    metadata = crowd["metadata"]
    script = ["sh", "-c", _COLLECT, "sh", str(CLIENTS + answers)]
    found = execute(
        api, metadata["namespace"], metadata["name"], "client", script, deadlines.CROWD_ANSWERED
    ).stdout
    lines = found.splitlines()
    if len(lines) != CLIENTS + answers:
        raise TrialError(f"Pod {name(crowd)} tells of {len(lines)} answers instead of {CLIENTS + answers}")
    return Load.of(lines[CLIENTS - 1 :])


def measure(
    api: Api,
    crowd: Object,
    answers: int,
    is_fair: Callable[[Load], bool] = lambda _: True,
    compared_with: Load | None = None,
) -> Load:
    """What the app serves while nothing but the CPU limit of its Pods bounds it; see `collect`.

    Args:
        api: The server.
        crowd: The crowd's Pod.
        answers: How many.
        is_fair: What else it takes to draw a conclusion from a load.
        compared_with: The load that it is compared with, to be told of if there is no conclusion.

    Raises:
        TrialError: Something else bounded it each time, such as a machine that is busy with other things.
    """
    loads = []
    for _ in range(_WINDOWS):
        loads.append(collect(api, crowd, answers))
        if loads[-1].is_bounded and is_fair(loads[-1]):
            return loads[-1]
    before = f"; to be compared with {compared_with}" if compared_with else ""
    raise TrialError(
        "what Pods serve cannot be told: it takes CPU limits that hold all Pods back in "
        f"{_HELD_BACK:.0%} of all periods and give them what they say, answers that cost less than twice "
        "what they did, and no lost request, which a machine gives that has not too much else to do: "
        f"{'; '.join(map(str, loads))}{before}"
    )


def _share_held_back(answers: Sequence[_Answer]) -> float:
    # Answers overtake each other, so neither the first nor the last need have the extreme counts.
    first = min(answers, key=lambda each: each.periods)
    last = max(answers, key=lambda each: each.periods)
    periods = last.periods - first.periods
    return (last.held_back - first.held_back) / periods if periods else 0.0


def _cost(of_pods: Iterable[Sequence[_Answer]]) -> float:
    seconds, between = 0.0, 0
    for answers in of_pods:
        used = [each.used for each in answers]
        seconds += (max(used) - min(used)) / 1e6
        between += len(answers) - 1
    return seconds / between if between else 0.0


def _answer(line: str) -> _Answer:
    try:
        at, pod, periods, held_back, used = line.split()
        return _Answer(float(at), pod, int(periods), int(held_back), int(used))
    except ValueError as error:
        raise TrialError(
            f"an answer of the app is {line!r}: it should name its Pod and three counts"
        ) from error
