"""How late a recording sees what happens, by the events that tell their time to the microsecond.

The times of objects are whole seconds. The scheduler's Events carry `eventTime`, taken when it makes one, and
it sends each at once. They are recorded anyway, so this costs nothing. What its sending takes is included.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from podproof.kube.changes import Change
from podproof.kube.kinds import EVENT

_PROMPT = "default-scheduler"
"""Who sends an Event when it happens; others give no `eventTime`."""


def event_lateness(changes: Iterable[Change]) -> list[float]:
    """For each new Event of the scheduler, the seconds from its `eventTime` to its arrival.

    Those that were listed are of any age, and what repeats is sent in batches: neither counts.
    """
    return [
        (change.wall - datetime.fromisoformat(change.thing["eventTime"])).total_seconds()
        for change in changes
        if change.kind == EVENT
        and change.type == "ADDED"
        and change.thing.get("reportingController") == _PROMPT
        and change.thing.get("eventTime")
    ]
