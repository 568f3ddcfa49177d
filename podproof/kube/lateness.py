"""How late a recording sees what happens, by the events that tell their time to the microsecond.

The times of objects are whole seconds. The scheduler's Events carry `eventTime`, taken when it makes one, and
it sends each at once. They are recorded anyway, so this costs nothing. What its sending takes is included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from podproof.kube.changes import Change
from podproof.kube.kinds import EVENT

_PROMPT = "default-scheduler"
"""Who sends an Event when it happens; others give no `eventTime`."""


def event_lateness(changes: Iterable[Change], breaks: Sequence[tuple[float, float]] = ()) -> list[float]:
    """For each new Event of the scheduler, the seconds from its `eventTime` to its arrival.

    Those that were listed are of any age, and what repeats is sent in batches: neither counts. Nor does what
    was under way while the watch was interrupted, which the recording knows and never takes for time.

    Args:
        changes: What was recorded.
        breaks: When the watch of Events was interrupted: spans by the monotonic clock.
    """
    found = []
    for change in changes:
        if change.kind != EVENT or change.type != "ADDED":
            continue
        sent = change.thing.get("eventTime")
        if sent is None or change.thing.get("reportingController") != _PROMPT:
            continue
        late = (change.wall - datetime.fromisoformat(sent)).total_seconds()
        if not any(broken < change.at and resumed > change.at - late for broken, resumed in breaks):
            found.append(late)
    return found
