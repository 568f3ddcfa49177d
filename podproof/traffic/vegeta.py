"""Reading what vegeta writes: a line of JSON for each request.

Its format: github.com/tsenart/vegeta, "encode command".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from podproof.traffic.record import Request

_NANOSECONDS = 1e9
_URL = re.compile(r'^[A-Z][a-z]+ "[^"]*": ')
_OWN_SIDE = re.compile(r"(?<= tcp )\S+->")
"""What tells the errors of two requests apart that failed for the same reason."""


def read(lines: Iterable[str | bytes], offset: float = 0.0) -> Iterator[Request]:
    """The requests in some lines of vegeta's; what else stands there, such as a shell's warning, is left out.

    Args:
        lines: In any order.
        offset: What to add to the client's clock to get the runner's, in seconds.
    """
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if not isinstance(told, dict) or "seq" not in told:
            continue
        sent = datetime.fromisoformat(told["timestamp"]).timestamp()
        yield Request(
            number=told["seq"],
            sent=sent,
            at=sent + offset,
            took=told["latency"] / _NANOSECONDS,
            status=told["code"],
            error=_OWN_SIDE.sub("", _URL.sub("", told["error"])),
            answer=base64.b64decode(told["body"] or "").decode("utf-8", "replace").strip(),
        )
