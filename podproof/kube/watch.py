"""One watch of the API server: what a collection has, then every change of it as it happens."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import tenacity
import urllib3

from podproof.errors import TrialError
from podproof.kube.client import Api, ApiError, Query, lines
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import Kind, Object

_MEANWHILE_SECONDS = 2.0
"""Between two looks at what may end a wait although no object changes."""


class ExpiredError(Exception):
    """The server no longer has the history since the resource version asked for (410 Gone)."""


class Stream:
    """One request that watches a collection from a resource version on.

    Iterating gives `(type, object)`, of type ``ADDED``, ``MODIFIED``, ``DELETED`` or ``BOOKMARK``, whose
    object has only a resource version. It ends when the server ends the answer or `stop` is called.
    """

    def __init__(
        self, api: Api, kind: Kind, namespace: str | None, since: str, query: Query | None = None
    ) -> None:
        """Open the stream.

        Raises:
            ExpiredError: The server answered 410 Gone.
            ApiError: It answered with another error.
            urllib3.exceptions.HTTPError: The transport failed.
        """
        asked = {"watch": True, "allowWatchBookmarks": True, "resourceVersion": since, **(query or {})}
        try:
            self._response = api.open(kind.path(namespace), query=asked)
        except ApiError as error:
            if error.status == 410:
                raise ExpiredError from error
            raise

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        """Give the changes; raises what `__init__` raises."""
        for line in lines(self._response):
            if not line:
                continue
            event: dict[str, Any] = json.loads(line)
            thing: Object = event["object"]
            if event["type"] == "ERROR":
                if thing.get("code") == 410:
                    raise ExpiredError
                raise urllib3.exceptions.ProtocolError(f"the watch ended: {thing.get('message')}")
            yield event["type"], thing

    def stop(self) -> None:
        """End the stream from any thread: whoever reads it sees its end at once."""
        with suppress(ValueError, RuntimeError, OSError):  # it has ended already
            self._response.shutdown()

    def close(self) -> None:
        """Let go of the connection; for the thread that reads."""
        self._response.close()


def until(
    api: Api,
    kind: Kind,
    namespace: str | None,
    name: str,
    holds: Callable[[Object | None], bool],
    deadline: Deadline,
    stuck: Callable[[Object | None], Exception] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Object | None:
    """Wait by watch until one named object is as wanted; returns it, None if it does not exist.

    Args:
        api: The server.
        kind: The object's kind.
        namespace: Where it is.
        name: Its name.
        holds: Given the object, or None while there is none of that name, says whether to stop waiting.
        deadline: How long to wait.
        stuck: Makes the error for when time is up, given the object as last seen.
        meanwhile: Called every other second; what it raises ends the wait.

    Raises:
        TrialError: Time is up (or what `stuck` makes).
    """
    end = time.monotonic() + deadline.patience
    query = {"fieldSelector": f"metadata.name={name}"}
    seen: Object | None = None
    while (left := end - time.monotonic()) > 0:
        if meanwhile:
            meanwhile()
        listed = api.request("GET", kind.path(namespace), query=query)
        seen = next(iter(listed["items"]), None)
        if holds(seen):
            return seen
        opening = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=tenacity.stop_after_delay(left),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )
        # The server ends the stream, and with it this wait, or this part of it.
        limit = {"timeoutSeconds": math.ceil(min(left, _MEANWHILE_SECONDS) if meanwhile else left)}
        with suppress(ExpiredError, urllib3.exceptions.HTTPError):
            try:
                stream = opening(
                    Stream, api, kind, namespace, listed["metadata"]["resourceVersion"], {**query, **limit}
                )
            except ApiError as error:
                if not _passes(error):
                    raise
                break  # time is up
            try:
                for change, thing in stream:
                    if change == "BOOKMARK":
                        continue
                    seen = None if change == "DELETED" else thing
                    if holds(seen):
                        return seen
            finally:
                stream.close()
    # What the watch may have missed counts too, but only now: nothing is asked again and again.
    seen = next(iter(api.request("GET", kind.path(namespace), query=query)["items"]), None)
    if holds(seen):
        return seen
    raise stuck(seen) if stuck else TrialError(f"{kind.name} {name} was not as wanted within {deadline}")


def _passes(error: BaseException) -> bool:
    """Whether it is an answer of a server that is busy or starting, which another moment may change."""
    return isinstance(error, ApiError) and (error.status == 429 or error.status >= 500)
