"""Faults inside of a container that a timer of the container itself undoes, whoever else is dead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from podproof.errors import TrialError
from podproof.faults import signs
from podproof.faults.container_endings import instance_of, must_run_in
from podproof.faults.pod_fault import PodFault
from podproof.faults.service import api_of
from podproof.kube import deadlines, files, states
from podproof.kube.kinds import Object

# $1 is a directory of the fault's own in the container. Who makes it first, injects it or forbids that: a
# command may still be on its way to the container when whoever sent it is dead, and the fault undone.
# The timer is told to hurry by a line in the pipe `end`.
_INJECT = """\
mkdir "$1" || exit
mkfifo "$1/end"
(trap '' HUP; read -t "$2" -r _ <>"$1/end"; {mends}; rm -r "$1") </dev/null >/dev/null 2>&1 &
echo $! >"$1/timer"
{breaks}
"""
_END = """\
if mkdir "$1" 2>/dev/null; then : >"$1/forbidden"; fi
{mends}
if [ ! -e "$1/forbidden" ]; then
  [ -d "/proc/$(cat "$1/timer")" ] || rm -r "$1"
  [ ! -p "$1/end" ] || echo 1<>"$1/end"
  exit 1
fi
{healthy}
"""


@dataclass(frozen=True)
class Timed(PodFault):
    """Something that commands in a container break and mend.

    A subclass says by which: parts of shell scripts, which know its `words` as ``$3`` and so on. Mending what
    is not broken must do no harm.

    Attributes:
        container: Where the commands run.
        instance: The id of the instance of that container.
        token: Tells it from all other faults in that container.
        seconds: How long it lasts at most, by the container's own timer.
    """

    container: str
    instance: str
    token: str
    seconds: float
    breaks: ClassVar[str] = ""
    mends: ClassVar[str] = ""
    broken: ClassVar[str] = ""
    """Succeeds if the fault is there, by a sign of its own."""
    healthy: ClassVar[str] = ""
    """Succeeds if nothing of it is there."""
    ends_with_container: ClassVar[bool] = True
    """Whether a container that starts anew knows nothing of it."""

    @property
    def words(self) -> tuple[str, ...]:
        """What its scripts have to know."""
        return ()

    def demand_possible(self) -> None:
        """The container runs, and nothing of that kind is the matter with it."""
        with api_of(self.cluster) as api:
            pod = must_run_in(self.must_find(api), self.container, self.instance)
            if not files.run(api, pod, self.container, self.healthy, *self._words).ok:
                raise TrialError(f"{self.describe()}: it is so already, or cannot be seen")

    def inject(self) -> None:
        """Start the timer, then break it."""
        script = _INJECT.format(mends=self.mends, breaks=self.breaks)
        with api_of(self.cluster) as api:
            files.must_run(api, self.must_find(api), self.container, script, *self._words)

    def confirm(self) -> None:
        """See `broken`."""
        signs.demand(self.is_there, self.describe())

    def revert(self) -> None:
        """Tell the timer to hurry."""
        self.is_over()

    def confirm_reverted(self) -> None:
        """The timer has ended, and nothing of it is there."""
        signs.demand_mended(self.is_over, f"not: {self.describe()}", deadlines.FAULT_ENDED)

    def is_over(self) -> bool:
        """Mend it, and say whether that is done."""
        with api_of(self.cluster) as api:
            pod = self.find(api)
            if pod is None or states.is_over(pod) or (self.ends_with_container and self._ended_with(pod)):
                return True
            script = _END.format(mends=self.mends, healthy=self.healthy)
            try:
                return files.run(api, pod, self.container, script, *self._words).ok
            except TrialError:  # the container is ending, or about to start
                return False

    def is_there(self) -> bool:
        """Whether it shows, without doing anything about it."""
        with api_of(self.cluster) as api:
            return files.run(api, self.must_find(api), self.container, self.broken, *self._words).ok

    def _ended_with(self, pod: Object) -> bool:
        status = states.container_status(pod, self.container)
        return "running" not in status.get("state", {}) or instance_of(pod, self.container) != self.instance

    @property
    def _words(self) -> tuple[str, ...]:
        return (f"/tmp/podproof-{self.token}", str(math.ceil(self.seconds)), *self.words)  # noqa: S108 - in a container
