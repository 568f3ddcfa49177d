"""The thread that keeps one kind watched, whatever happens to its connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import urllib3

from podproof.errors import ClusterError
from podproof.kube import deadlines
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import Kind, Object
from podproof.kube.watch import ExpiredError, Stream

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds before a broken watch is resumed


class Watcher:
    """Lists a kind, then watches it; resumes a broken watch where it broke, or else lists again.

    Attributes:
        kind: The kind.
        watching: Set once the first list has arrived and the first stream is open.
        seen: Every (uid, resource version) that arrived; kept by the recording.
        alive: The uids that exist; kept by the recording.
        trouble: Why it is not connected; None while it is.
        resumed: How often it has resumed a broken stream.
        breaks: The spans, by the monotonic clock, in which it was not connected and then resumed.
    """

    def __init__(
        self,
        api: Api,
        kind: Kind,
        namespace: str | None,
        on_change: Callable[[Watcher, str, Object], None],
        on_list: Callable[[Watcher, Sequence[Object], float | None], None],
    ) -> None:
        """Prepare; nothing is watched before `start`.

        Args:
            api: The server.
            kind: What to watch.
            namespace: Where; None for everywhere.
            on_change: Called with the type and object of each change.
            on_list: Called with what a list gave, and since when changes may have been missed (None for the
                first list).
        """
        self.kind = kind
        self.watching = threading.Event()
        self.seen: set[tuple[str, str]] = set()
        self.alive: set[str] = set()
        self.trouble: str | None = None
        self.resumed = 0
        self.breaks: list[tuple[float, float]] = []
        self._broken_since: float | None = None
        self._api = api
        self._namespace = namespace
        self._on_change = on_change
        self._on_list = on_list
        self._at: str | None = None
        self._stopping = threading.Event()
        self._stream: Stream | None = None
        self._lock = threading.Lock()
        self._contact = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"watch {kind.plural}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()
        with self._lock:
            if self._stream:
                self._stream.stop()

    def join(self) -> None:
        """Wait for the thread's end."""
        if self._thread.is_alive():
            self._thread.join(deadlines.API_REQUEST.seconds)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                if self._at is None:
                    self._at = self._list()
                for _ in self._follow(self._at):
                    pause = _FIRST_PAUSE
                self._broken_since = time.monotonic()  # the server ended it in due form
            except ExpiredError:
                self._at = None
                continue
            except (ApiError, ClusterError, urllib3.exceptions.HTTPError, ValueError) as error:
                if not self._stopping.is_set():  # else it was ended on purpose
                    self.trouble = str(error) or type(error).__name__
                    # A connection may have been dead since it last gave anything.
                    self._broken_since = self._broken_since or self._contact
            except BaseException as error:
                self.trouble = f"its watch is dead: {error!r}"
                raise
            if not self._stopping.wait(pause):
                self.resumed += 1
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _list(self) -> str:
        missed_since = self._contact if self.watching.is_set() else None
        answer = self._api.list(self.kind, self._namespace)
        self._on_list(self, answer["items"], missed_since)
        self.trouble = None
        self._contact = time.monotonic()
        return str(answer["metadata"]["resourceVersion"])

    def _follow(self, at: str) -> Iterator[Object]:
        """Follow one stream, noting where to resume if it breaks."""
        stream = Stream(self._api, self.kind, self._namespace, at)
        with self._lock:
            self._stream = stream
        try:
            if self._stopping.is_set():
                return
            if self._broken_since is not None:
                self.breaks.append((self._broken_since, time.monotonic()))
                self._broken_since = None
            self.trouble = None
            self.watching.set()
            for change_type, thing in stream:
                self._contact = time.monotonic()
                if change_type != "BOOKMARK":
                    self._on_change(self, change_type, thing)
                self._at = version(thing)
                yield thing
        finally:
            with self._lock:
                self._stream = None
            stream.close()


def version(thing: Object) -> str:
    """The resource version of an object: which of its states it is."""
    return str(thing["metadata"]["resourceVersion"])
