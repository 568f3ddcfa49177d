"""What a Pod's clock is beside the runner's monotonic one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from podproof.errors import TrialError
from podproof.kube.client import Api
from podproof.kube.execute import execute

_TELL_TIME = ["sh", "-c", 'echo "$EPOCHREALTIME"']


@dataclass(frozen=True, slots=True)
class Reading:
    """The Pod's clock, read once.

    Attributes:
        before: The runner's monotonic clock before the Pod was asked, in seconds.
        there: The Pod's clock, in seconds since 1970.
        after: The runner's clock when the answer was there.
    """

    before: float
    there: float
    after: float


@dataclass(frozen=True, slots=True)
class Offset:
    """What to add to the Pod's clock to get the runner's.

    Attributes:
        seconds: The most likely value.
        uncertainty: How far off it may be, either way, in seconds.
    """

    seconds: float
    uncertainty: float

    @classmethod
    def between(cls, readings: Iterable[Reading]) -> Offset:
        """The offset that all readings allow: the Pod read its clock somewhere between question and answer.

        Raises:
            TrialError: There is none, because a clock was set meanwhile.
        """
        spans = [(each.before - each.there, each.after - each.there) for each in readings]
        least, most = max(low for low, _ in spans), min(high for _, high in spans)
        if least > most:
            raise TrialError(
                f"the clock of the client's Node was set by at least {least - most:.3f} s while it was read"
            )
        return cls((least + most) / 2, (most - least) / 2)


def read(api: Api, namespace: str, pod: str, container: str) -> Reading:
    """Read the clock of a Pod whose shell tells the time to the microsecond, as busybox's does.

    Raises:
        TrialError: It does not.
    """
    before = time.monotonic()
    told = execute(api, namespace, pod, container, _TELL_TIME).stdout.strip()
    after = time.monotonic()
    try:
        return Reading(before, float(told), after)
    except ValueError:
        raise TrialError(f"the shell of Pod {pod} does not tell the time: {told!r}") from None
